"""A random history of commits, conflicts and takeovers leaves every summaries' database as it leaves plain dicts."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.summaries_rows import NOON, advance, output, seen, take, window
from vigia.events.effects import Timer, row_key
from vigia.events.summaries import WindowSummary
from vigia.stores.base import LaneId, LaneRow, StateRow
from vigia.stores.errors import Conflict

KEYS = ["a", "A", "b", "ü", "😀"]
KINDS = ["close", "expire"]

steps = st.fixed_dictionaries(
    {
        "states": st.dictionaries(st.sampled_from(KEYS), st.none() | st.binary(max_size=8)),
        "windows": st.dictionaries(st.tuples(st.sampled_from("xy"), st.integers(0, 3)), st.floats(-1e300, 1e300)),
        "timers": st.dictionaries(
            st.tuples(st.sampled_from(KINDS), st.sampled_from(KEYS)), st.none() | st.integers(0, 5).map(float)
        ),
        "seen": st.dictionaries(st.integers(0, 6), st.integers(0, 9)),
        "forget": st.none() | st.integers(0, 9),
        "outputs": st.integers(0, 3),
        "publish": st.integers(0, 3),
        "what": st.sampled_from(["commit", "commit", "commit", "stale", "take over"]),
    }
)


@dataclass
class Plain:
    """A lane as plain dicts."""

    row: LaneRow
    states: dict[str, StateRow] = field(default_factory=dict)
    windows: dict[tuple[object, ...], Any] = field(default_factory=dict)
    timers: dict[tuple[str, str], float] = field(default_factory=dict)
    seen: dict[bytes, tuple[bytes, float]] = field(default_factory=dict)
    outbox: list[int] = field(default_factory=list)


# the whole history of one database is one example's, in lanes of its own
@pytest.mark.timeout(300)
def test_a_history_of_steps_ends_as_in_plain_dicts(summaries):
    lanes = iter(range(1_000_000))

    @settings(max_examples=30)
    @given(st.lists(steps, min_size=1, max_size=12))
    def check(history):
        lane = LaneId("metrics", next(lanes))
        plain = Plain(take(summaries, lane))
        for step in history:
            if step["what"] == "take over":
                plain.row = take(summaries, lane)
            apply(summaries, plain, step, stale=step["what"] == "stale")
        compare(summaries, plain, lane)

    check()


def apply(summaries, plain: Plain, step: dict[str, Any], *, stale: bool) -> None:
    number = plain.row.outbox_next
    name = f"{plain.row.lane.partition}-"
    parts: dict[str, Any] = {
        "states": [StateRow(key, 1, body) for key, body in step["states"].items()],
        "summaries": [window(name + series, start, sum=value) for (series, start), value in step["windows"].items()],
        "timers_set": [Timer(kind, key, due) for (kind, key), due in step["timers"].items() if due is not None],
        "timers_cleared": [pair for pair, due in step["timers"].items() if due is None],
        "seen": [seen(one, NOON + at) for one, at in step["seen"].items()],
        "outbox": [output(number + i) for i in range(step["outputs"])],
        "forget_seen_before": None if step["forget"] is None else NOON + step["forget"],
        "lane": {"outbox_next": number + step["outputs"], "offsets": {"metrics": plain.row.step}},
    }
    if stale:
        take(summaries, plain.row.lane)
        with pytest.raises(Conflict):
            summaries.commit(advance(plain.row, **parts))
        plain.row = take(summaries, plain.row.lane)
        return
    commit = advance(plain.row, **parts)
    summaries.commit(commit)
    plain.row = commit.lane
    for state in parts["states"]:
        if state.body is None:
            plain.states.pop(state.key, None)
        else:
            plain.states[state.key] = state
    plain.windows.update((row_key(row), row) for row in parts["summaries"])
    for pair, due in step["timers"].items():
        if due is None:
            plain.timers.pop(pair, None)
        else:
            plain.timers[pair] = due
    plain.seen.update((row.seen_id, (row.content, row.seen_at)) for row in parts["seen"])
    if parts["forget_seen_before"] is not None:
        plain.seen = {key: row for key, row in plain.seen.items() if row[1] >= parts["forget_seen_before"]}
    published = plain.outbox[: step["publish"]]
    summaries.delete_outbox(plain.row.lane, published)
    plain.outbox = [*plain.outbox[step["publish"] :], *(row.number for row in parts["outbox"])]


def compare(summaries, plain: Plain, lane: LaneId) -> None:
    loaded = summaries.load(lane, KEYS, [seen(i).seen_id for i in range(7)])
    assert loaded.states == plain.states
    assert loaded.seen == {key: content for key, (content, _) in plain.seen.items()}
    every = [window(f"{lane.partition}-{series}", start) for series in "xy" for start in range(4)]
    assert summaries.rows([(WindowSummary, (row.series_id, row.start)) for row in every]) == plain.windows
    timers = sorted((due, kind, key) for (kind, key), due in plain.timers.items())
    assert [(timer.due, timer.kind, timer.key) for timer in summaries.due(lane, 100.0, 100)] == timers
    assert summaries.next_due(lane) == (timers[0][0] if timers else None)
    assert [row.number for row in summaries.outbox(lane, 1_000)] == plain.outbox
    assert summaries.read_lane(lane) == plain.row
    assert len(summaries.steps(lane, 0, 1_000)) == plain.row.step
