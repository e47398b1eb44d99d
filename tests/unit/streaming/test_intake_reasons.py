"""The table of bad input through the pure step: each event gets its reason, goes to its right lane, or is applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from tests.support.bad_case import AI_AGENT, GOOD, PARTITIONS, SCOPE, SERVICE, Case, Expected, encoded, sample
from tests.support.bad_input import CASES
from vigia.app.routes import ROUTES
from vigia.events.effects import States
from vigia.events.figures import TOPIC_FIGURES
from vigia.events.invalid import BY_RULE, EXPLANATIONS, Reason
from vigia.events.names import name_problem
from vigia.settings import Settings
from vigia.stores.base import LaneId, LaneRow, RawRecord, StepCommit
from vigia.stores.records import Records
from vigia.streaming.batches import CUT_HEADER, ORIGIN_HEADER, TICK_HEADER, Batch
from vigia.streaming.compute import Computed, StepLimits, build_commit, fresh_events, merged, run_model
from vigia.streaming.flood import FloodLimits
from vigia.streaming.intake import Intake, raw_entries
from vigia.streaming.partitions import partition_of
from vigia.streaming.route import Route

NOW = 1_790_000_000.0
LIMITS = StepLimits(FloodLimits(ratio=1.0, minimum=1000, run=1000), seen_horizon=86_400)
SURROUNDED = 3
"""Good events around each case."""


@dataclass(frozen=True)
class Done:
    """What one step over a batch came to."""

    commit: StepCommit
    figures: dict[str, int]


@cache
def route_of(topic: str) -> Route:
    return next(route for row in ROUTES for route in [row.route(Settings())] if topic in {t.name for t in route.topics})


def record(offset: int, value: bytes | None, key: bytes | None, partition: int, headers: Sequence = ()) -> RawRecord:
    return RawRecord("any", partition, offset, int(NOW * 1000), key, value, tuple(headers))


def step(topic: str, partition: int, records: Sequence[RawRecord]) -> Done:
    """Run everything of a step that is no I/O, for a lane that knows nothing yet."""
    route = route_of(topic)
    intake = Intake(route.topic(topic), lambda service, at: "unassigned", 300.0)
    taken = intake.take(Batch(topic, partition, 1, 0, Records.of(records)), PARTITIONS)
    # Cassandra refuses an index without a name
    assert all(entry.service for entry in raw_entries(taken, packed=route.packed))
    fresh = fresh_events(route, taken, {})
    states = States(dict.fromkeys(route.model.keys(taken.events)))
    changes = run_model(route, fresh, [], taken.clock, states)
    lane = LaneRow(
        lane=LaneId(route.agent, partition),
        version=1,
        step=0,
        cluster_id="cluster",
        partition_count=PARTITIONS,
        offsets={},
        clock=0.0,
        outbox_next=0,
        counts={},
    )
    computed = Computed(taken, fresh, changes, states, list(merged(route, changes, {}).values()))
    commit = build_commit(lane, route, computed, LIMITS)
    figures = {figure: commit.lane.counts[f"{topic}.{figure}"] for figure in TOPIC_FIGURES}
    return Done(commit, figures)


def step_of(case: Case) -> tuple[Done, int]:
    """Run a case between good events (those that belong into its partition); returns the offset of the bad record."""
    key, good = GOOD[case.topic]
    goods = iter([good(NOW, number) for number in range(SURROUNDED)])
    home = partition_of(key, PARTITIONS) == case.partition
    values: list[tuple[bytes | None, bytes | None, Sequence]] = [(next(goods), key, ())] * home
    if case.first is not None:
        values.append((case.first(NOW), case.key, ()))
    bad = len(values)
    values.append((case.value(NOW), case.key, case.headers))
    values += [(value, key, ()) for value in goods] * home
    records = [record(i, value, key, case.partition, headers) for i, (value, key, headers) in enumerate(values)]
    return step(case.topic, case.partition, records), bad


def named(case: Case) -> str:
    return f"{case.topic}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_each_bad_input_becomes_what_the_table_says(case):
    done, bad = step_of(case)
    expected = case.expected
    key, _ = GOOD[case.topic]
    good = SURROUNDED if partition_of(key, PARTITIONS) == case.partition else 0
    letters = done.commit.dead_letters
    assert [(letter.reason, letter.offset, letter.position) for letter in letters] == (
        [(expected.reason, bad, expected.position)] if expected.reason else []
    )
    assert done.figures["applied"] == good + expected.applied
    assert done.figures["moved"] == expected.moved
    assert done.figures["invalid"] == len(letters) or "points" in case.name
    assert done.figures["ticks"] == 0
    assert done.commit.lane.offsets == {case.topic: bad + 1 + (good and good - 1)}
    for letter in letters:
        assert expected.says in letter.detail
        assert letter.detail.isprintable(), f"a detail reaches terminals: {letter.detail!r}"
        assert 10 < len(letter.detail) < 700


@pytest.mark.parametrize("case", [case for case in CASES if case.expected.moved], ids=named)
def test_what_is_sent_on_is_applied_in_its_right_lane_and_only_there(case):
    first, _ = step_of(case)
    (moved,) = [row for row in first.commit.outbox if row.topic == case.topic]
    assert moved.key == case.moves_to.encode()
    assert moved.partition is None
    assert [name for name, _ in moved.headers] == [ORIGIN_HEADER]
    again = record(0, moved.value, moved.key, 0, moved.headers)
    lane = partition_of(moved.key, PARTITIONS)
    # twice, as after a crash between publishing and deleting from the outbox
    repeat = record(1, moved.value, moved.key, 0, moved.headers)
    assert step(case.topic, lane, [again, repeat]).figures == {
        "in": 2, "applied": 1, "duplicate": 1, "invalid": 0, "moved": 0, "ticks": 0,
    }  # fmt: skip
    elsewhere = step(case.topic, (lane + 1) % PARTITIONS, [again])
    assert [letter.reason for letter in elsewhere.commit.dead_letters] == [Reason.WRONG_PARTITION]


def test_the_table_has_every_reason_that_input_alone_can_cause():
    tested = {case.expected.reason for case in CASES} - {None}
    # two need more than one record, those of senders need rules; the models', lane's and guard's tests have them
    assert set(Reason) - tested == {Reason.SERIES_CAP, Reason.MODEL_ERROR} | BY_RULE
    assert set(EXPLANATIONS) == set(Reason)


def test_a_tick_moves_the_clock_and_is_no_event():
    tick = record(0, b"", None, 2, ((TICK_HEADER, b"1"),))
    done = step("metrics", 2, [tick])
    assert done.figures == {"in": 0, "applied": 0, "duplicate": 0, "invalid": 0, "moved": 0, "ticks": 1}
    assert done.commit.lane.clock == NOW
    assert not done.commit.dead_letters


def test_what_names_no_service_is_found_in_the_raw_log_by_its_key():
    for topic, names in (
        ("ai-decisions", AI_AGENT),
        ("feedback", SCOPE),
        ("deployments", SERVICE),
        ("metrics", SERVICE),
    ):
        key, good = GOOD[topic]
        lane = partition_of(key, PARTITIONS)
        intake = Intake(route_of(topic).topic(topic), lambda service, at: "", 300.0)
        taken = intake.take(Batch(topic, lane, 1, 0, Records.of([record(0, good(NOW, 1), key, lane)])), PARTITIONS)
        assert [entry.service for entry in raw_entries(taken, packed=False)] == [names]


@pytest.mark.parametrize(
    ("value", "key", "headers"),
    [
        (b" " * 20_000_000, b"shop", ()),
        (encoded(sample(NOW)), b"k" * 5_000_000, ()),
        (None, None, (("a", b"x" * 3_000_000),)),
        (b"", b"", tuple((f"h{number}", b"x" * 100) for number in range(20_000))),
    ],
    ids=["value", "key", "header", "headers"],
)
def test_a_record_that_no_store_could_keep_is_cut_and_refused(value, key, headers):
    lane = partition_of(b"shop", PARTITIONS)
    good = record(0, encoded(sample(NOW)), b"shop", lane)
    after = record(2, encoded(sample(NOW)), b"shop", lane)
    batch = Batch("metrics", lane, 1, 0, Records.of([good, record(1, value, key, lane, headers), after]))
    taken = Intake(route_of("metrics").topic("metrics"), lambda service, at: "", 300.0).take(batch, PARTITIONS)
    assert [(one.record, one.invalid.reason) for one in taken.refused] == [(1, Reason.TOO_LARGE)]
    assert (len(taken.events), taken.weight) == (2, 3)
    assert taken.batch.next_offset == 3
    # this is what the raw log gets
    first, kept, last = taken.batch.records
    assert (first, last) == (good, after)
    assert (kept.offset, kept.timestamp) == (1, good.timestamp)
    assert len(kept.value or b"") + len(kept.key or b"") < 70_000
    sizes = [len(value or b""), len(key or b""), sum(len(name) + len(of or b"") for name, of in headers)]
    assert kept.headers == ((CUT_HEADER, ",".join(map(str, sizes)).encode()),)
    detail = taken.refused[0].invalid.detail
    assert "have {},{},{} bytes, decompressed".format(*sizes) in detail
    # read back from the raw log it is refused for the same reason
    again = Intake(route_of("metrics").topic("metrics"), lambda service, at: "", 300.0).take(taken.batch, PARTITIONS)
    assert (again.refused, again.weight) == (taken.refused, taken.weight)


def test_what_is_too_large_to_be_sent_on_is_refused():
    lane = partition_of(b"shop", PARTITIONS)
    for size, moved in ((900_000, 1), (1_100_000, 0)):
        value = encoded(sample(NOW, labels={"a": "x" * size}))
        done = step("metrics", lane, [record(0, value, b"other", lane)])
        assert done.figures["moved"] == moved
        assert [letter.reason for letter in done.commit.dead_letters] == [Reason.TOO_LARGE] * (not moved)
        if not moved:
            assert "send it under the key 'shop'" in done.commit.dead_letters[0].detail


def test_names_that_are_too_long_are_not_remembered():
    name_problem.cache_clear()
    lane = (partition_of(SERVICE.encode(), PARTITIONS) + 1) % PARTITIONS
    intake = Intake(route_of("metrics").topic("metrics"), lambda service, at: "", 300.0)
    for number in range(3):
        value = encoded(sample(NOW, service=str(number) * 100_000))
        large = [record(0, value, str(number).encode() * 100_000, lane)]
        intake.take(Batch("metrics", lane, 1, 0, Records.of(large)), PARTITIONS)
    assert not any(intake._known.values())
    assert not name_problem.cache_info().currsize


def test_expectations_say_something():
    assert all(case.expected != Expected() for case in CASES)
