"""What must hold after any fault: nothing lost, nothing twice, everything as recomputed from the input."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby, zip_longest
from operator import attrgetter
from typing import Any

from scripts.rebuilding.comparing import Report
from scripts.rebuilding.errors import TryAgain
from tests.faults.load import Expected
from tests.support import Received, counts, opened_stores, read_topic, topic_records, wait_until
from tests.support.rebuilding import opened
from vigia import topics
from vigia.events.summaries import ProblemSummary, ProposalSummary, WindowSummary
from vigia.models.windows.closing import IDLE
from vigia.models.windows.totals import sketch_in
from vigia.stores.base import LaneRow, RawRecord
from vigia.stores.sql.summary_rows import select_rows, to_struct

INPUTS = [topic.name for topic in topics.TOPICS if any(reader.endswith("-agent") for reader in topic.read_by)]


def wait_until_applied(env: Mapping[str, str], expected: Expected, within: float) -> None:
    """Wait until all events were applied, every window has closed, and what follows from that was applied as well."""

    def applied() -> bool:
        found = counts(env)
        return (
            found["metrics.applied"] >= expected.samples
            and found["deployments.applied"] >= len(expected.deployments)
            and found["feedback.applied"] + found["feedback.invalid"] >= expected.outcomes
        )

    def closed() -> bool:
        with opened_stores(env) as stores:
            lanes = [row.lane for row in stores.summaries.lanes() if row.lane.agent == "metrics"]
            timers = [timer for lane in lanes for timer in stores.summaries.due(lane, 1e18, 100_000)]
            return all(timer.kind != IDLE for timer in timers)

    def at_rest() -> bool:
        # a problem that the last window opened is still on its way when that window has closed
        with opened_stores(env) as stores:
            rows = stores.summaries.lanes()
            if any(stores.summaries.outbox(row.lane, 1) for row in rows):
                return False
        return all(next(topic_records(env, name, begin=_applied_to(rows, name)), None) is None for name in INPUTS)

    try:
        wait_until(applied, within, f"all of {expected.samples} samples and the other events", pause=0.5)
        wait_until(closed, within, "the end of every window", pause=0.5)
        wait_until(at_rest, within, "the end of what the lanes tell each other", pause=0.5)
    except AssertionError as error:
        error.add_note("\n".join([str(counts(env)), *_positions(env)]))
        raise


def _applied_to(rows: Iterable[LaneRow], topic: str) -> dict[int, int]:
    """Return the next offset that a topic's lanes apply, by partition."""
    return {row.lane.partition: row.offsets[topic] for row in rows if topic in row.offsets}


def _positions(env: Mapping[str, str]) -> list[str]:
    """Say where every lane is, and where the topics that it reads end."""
    with opened_stores(env) as stores:
        rows = stores.summaries.lanes()
    ends = {(r.topic, r.partition): r.offset + 1 for name in INPUTS for r in topic_records(env, name)}
    return [
        f"lane {row.lane} of {row.owner}, version {row.version}, step {row.step}, {row.stopped or 'not stopped'}: "
        + ", ".join(f"{name} {at} of {ends.get((name, row.lane.partition), 0)}" for name, at in row.offsets.items())
        for row in rows
    ]


def check_counts(env: Mapping[str, str], expected: Expected) -> None:
    """Every event counts exactly once."""
    found = counts(env)
    assert found["metrics.in"] == found["metrics.applied"] == expected.samples
    assert found["deployments.in"] == found["deployments.applied"] == len(expected.deployments)
    assert found["deployments_scored"] == len(expected.deployments)
    assert found["feedback.in"] == expected.outcomes
    for topic in INPUTS:
        parts = [found[f"{topic}.{part}"] for part in ("applied", "duplicate", "invalid", "moved")]
        assert found[f"{topic}.in"] == sum(parts), topic


def check_windows(env: Mapping[str, str], expected: Expected) -> None:
    """Every window equals a plain recomputation from the input."""
    with opened_stores(env) as stores:
        rows = [to_struct(WindowSummary, row) for row in stores.summaries.fetch(select_rows(WindowSummary))]
    found = {(row.series_id, row.start): (row.count, row.sum, row.min, row.max) for row in rows}
    wanted = expected.totals()
    assert found.keys() == wanted.keys()
    for key, (count, total, low, high) in wanted.items():
        assert (found[key][0], *found[key][2:]) == (count, low, high), key
        assert math.isclose(found[key][1], total, rel_tol=1e-9), key
    for row in rows:
        values = sorted(expected.windows[row.series_id, row.start])
        for quantile in (0.0, 0.5, 0.95, 1.0):
            exact = values[math.floor(quantile * (len(values) - 1))]
            assert math.isclose(sketch_in(row.sketch).quantile(quantile), exact, rel_tol=0.0101, abs_tol=1e-9), row


def check_raw_log(env: Mapping[str, str]) -> None:
    """The raw log has every record that the lanes have passed, once, as it was read."""
    with opened_stores(env) as stores:
        lanes = stores.summaries.lanes()
        offsets = {(topic, row.lane.partition): (row, end) for row in lanes for topic, end in row.offsets.items()}
        for name in INPUTS:
            # one record of each side at a time: there may be millions
            for partition, records in groupby(topic_records(env, name), attrgetter("partition")):
                row, end = offsets[name, partition]
                on_broker = (_as_read(record) for record in records if record.offset < end)
                # what is kept of a step comes before its commit: a tick that is under way now may lie behind `end`
                in_log = stores.raw_log.read(row.cluster_id, name, partition, 0)
                kept = (_as_read(record) for record in in_log if record.offset < end)
                for wanted, found in zip_longest(on_broker, kept):
                    assert found == wanted, (name, partition, end, wanted, found)


def _as_read(record: Received | RawRecord) -> tuple[object, ...]:
    return record.offset, record.key, record.value, record.timestamp


def check_outputs(env: Mapping[str, str], expected: Expected) -> None:
    """Every cause has one id, every version of an id one content, and every output was published."""
    risks = _published(env, "risk")
    assert {risk["external_id"] for risk in risks} == expected.deployments
    _one_each(((risk["external_id"], risk["scope"]), _content(risk)) for risk in risks)
    problems = _published(env, "problems")
    _one_each(((one["series_id"], one["detector"], one["opened_at"]), one["problem_id"]) for one in problems)
    _one_each(((one["problem_id"], one.get("version", 1)), _content(one)) for one in problems)
    proposals = _published(env, "approvals")
    _one_each((one["problem_id"], one["proposal_id"]) for one in proposals)
    _one_each(((one["proposal_id"], one.get("version", 1)), _content(one)) for one in proposals)
    with opened_stores(env) as stores:
        assert all(stores.summaries.outbox(row.lane, 1) == [] for row in stores.summaries.lanes())
        for struct, published, identity in (
            (ProblemSummary, problems, "problem_id"),
            (ProposalSummary, proposals, "proposal_id"),
        ):
            rows = [to_struct(struct, row) for row in stores.summaries.fetch(select_rows(struct))]
            assert rows, struct
            known = {(one[identity], one.get("version", 1)) for one in published}
            # every version up to the latest was published, and nothing that the rows do not know
            latest = {str(getattr(row, identity)): int(getattr(row, "version")) for row in rows}  # noqa: B009
            wanted = {(one, version) for one, last in latest.items() for version in range(1, last + 1)}
            assert known == wanted


def _published(env: Mapping[str, str], topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in read_topic(env, topic) if record.value]


def _content(event: dict[str, Any]) -> str:
    return json.dumps(event, sort_keys=True)


def _one_each(pairs: Iterable[tuple[object, object]]) -> None:
    found = defaultdict(set)
    for cause, effect in pairs:
        found[cause].add(effect)
    assert found
    assert [cause for cause, effects in found.items() if len(effects) > 1] == []


def check_steps(env: Mapping[str, str]) -> None:
    """The steps of a lane are numbered without a gap and pass every offset once, in order."""
    with opened_stores(env) as stores:
        for row in stores.summaries.lanes():
            done = [each.sequence for each in stores.summaries.interventions(row.lane)]
            # a timer may have made one more since the row was read
            steps = [step for step in stores.summaries.steps(row.lane, 0, 1_000_000) if step.sequence <= row.step]
            check_lane_steps(row, steps, done)


def check_lane_steps(row: LaneRow, steps: list, interventions: list[int]) -> None:
    """The same for one lane; `interventions` are the numbers that stand for what people did."""
    assert sorted([*(step.sequence for step in steps), *interventions]) == list(range(1, row.step + 1))
    last: Counter[str] = Counter()
    for step in steps:
        assert step.first_offset >= last[step.topic], (row.lane, step)
        last[step.topic] = step.last_offset + 1
    # a topic without a step has the offset at which the lane begins to read it
    assert dict(last) == {topic: offset for topic, offset in row.offsets.items() if topic in last}


def check_rebuild(env: Mapping[str, str]) -> None:
    """Everything computed again from the raw log equals what the workers made, to the last bit."""
    with opened(env) as place:

        def report() -> Report | None:
            place.rebuild()
            try:
                return place.compare()
            except TryAgain:
                return None  # a timer has fired in a live lane meanwhile: the rebuild goes on from where it is

        compared = wait_until(report, 120, "a rebuild that is as far as the live lanes", pause=0.0)
        assert compared is not None
        assert compared.equal, compared


def check_everything(env: Mapping[str, str], expected: Expected, within: float = 120.0) -> None:
    """All of the above."""
    wait_until_applied(env, expected, within)
    check_counts(env, expected)
    check_windows(env, expected)
    check_raw_log(env)
    check_outputs(env, expected)
    check_steps(env)
    check_rebuild(env)
