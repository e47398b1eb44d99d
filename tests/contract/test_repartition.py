"""A repartition takes every state and timer to the lane of its key, and remembered ids to where they may be needed."""

import random
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.repartitioning.acting import Who, redistribute, take_over
from tests.contract.summaries_rows import NOON, commit, seen, take
from tests.support.fakes.notes import NotesModel
from vigia.events.effects import Timer
from vigia.stores.base import LaneId, SeenRow, StateRow
from vigia.stores.errors import Conflict
from vigia.stores.sql import repartition
from vigia.streaming.partitions import partition_of
from vigia.streaming.repartition import Repartition

AGENT, TOPICS = "metrics", ("metrics",)
WHO = Who("ada@desk", NOON, "more services")
KEYS = [f"service {number} ☠:x" for number in range(300)]
IDS = {key: [key.encode().ljust(24, b".")[:24] + bytes([number]) for number in range(3)] for key in KEYS}


def plan(before: int, after: int) -> Repartition:
    return Repartition(AGENT, TOPICS, NotesModel(), before, after)


@dataclass
class Content:
    """All that the lanes hold, by lane."""

    states: dict[int, dict[str, bytes]]
    timers: dict[int, set[Timer]]
    seen: dict[int, dict[bytes, tuple[bytes, float]]]


def content(summaries) -> Content:
    lanes = [row.lane for row in summaries.lanes()]
    found = Content({}, {}, {})
    for lane in lanes:
        keys = list(summaries.state_keys(lane))
        loaded = summaries.load(lane, keys, [])
        found.states[lane.partition] = {key: row.body for key, row in loaded.states.items()}
        found.timers[lane.partition] = set(summaries.timers(lane))
        ids = summaries.load(lane, [], [each for of_key in IDS.values() for each in of_key]).seen
        found.seen[lane.partition] = dict(ids)
    return found


def fill(summaries, count: int, chance: random.Random) -> None:
    """Let each lane of `count` hold what belongs there: not all keys have all of it."""
    for number in range(count):
        mine = [key for key in KEYS if partition_of(key.encode(), count) == number]
        row = summaries.acquire(LaneId(AGENT, number), "w", "cluster-1", count)
        commit(
            summaries,
            row,
            lane={"offsets": {"metrics": 10 + number}, "clock": NOON + number, "counts": {"metrics.in": number}},
            states=[StateRow(key, 1, key.encode()) for key in some(chance, mine, 0.8)],
            timers_set=[
                Timer(kind, key, NOON + chance.random()) for kind in ("a", "b") for key in some(chance, mine, 0.4)
            ],
            seen=[SeenRow(each, b"c" * 16, NOON + number) for key in some(chance, mine, 0.6) for each in IDS[key]],
        )


def some(chance: random.Random, keys: list[str], share: float) -> list[str]:
    return [key for key in keys if chance.random() < share]


def change(summaries, before: int, after: int) -> list:
    held = take_over(summaries, summaries.lanes())
    return redistribute(summaries, plan(before, after), held, "cluster-1", WHO, lambda _what, _rows: None)


@pytest.mark.parametrize("counts", [(4, 6), (1, 2, 3, 5), (4, 8), (3, 10, 12)])
def test_everything_is_in_its_lane_and_nothing_is_lost_or_doubled(summaries, monkeypatch, counts):
    monkeypatch.setattr(repartition, "PAGE", 7)
    monkeypatch.setattr(repartition, "CHUNK", 3)
    fill(summaries, counts[0], random.Random(1))
    first = content(summaries)
    states = {key: body for of_lane in first.states.values() for key, body in of_lane.items()}
    timers = [timer for of_lane in first.timers.values() for timer in of_lane]
    remembered = {each for of_lane in first.seen.values() for each in of_lane}
    assert min(len(states), len(timers), len(remembered)) > 150
    for before, after in pairwise(counts):
        change(summaries, before, after)
        now = content(summaries)
        assert sorted(now.states) == list(range(after))
        for number in range(after):
            assert all(partition_of(key.encode(), after) == number for key in now.states[number])
            assert all(partition_of(timer.key.encode(), after) == number for timer in now.timers[number])
        held = [(key, body) for of_lane in now.states.values() for key, body in of_lane.items()]
        assert sorted(held) == sorted(states.items())
        found = [timer for of_lane in now.timers.values() for timer in of_lane]
        assert sorted(found, key=repr) == sorted(timers, key=repr)
        for key, ids in IDS.items():
            home = now.seen[partition_of(key.encode(), after)]
            assert {each for each in ids if each in home} == {each for each in ids if each in remembered}


def test_the_rows_of_lanes_say_what_happened_and_where_new_ones_begin(summaries):
    fill(summaries, 4, random.Random(2))
    summaries.keep_topic_ids(LaneId(AGENT, 1), {"metrics": "id1"})
    before = {row.lane.partition: row for row in summaries.lanes()}
    rows = change(summaries, 4, 6)
    assert summaries.lanes() == rows
    for row in rows:
        number = row.lane.partition
        assert (row.partition_count, row.clock, row.cluster_id) == (6, NOON + 3, "cluster-1")
        assert row.offsets == (before[number].offsets if number < 4 else {"metrics": 0})
        assert row.counts == (before[number].counts if number < 4 else {})
        assert row.step == (before[number].step + 1 if number < 4 else 1)
        (done,) = summaries.interventions(row.lane)
        assert (done.kind, done.topic, done.before, done.after, done.sequence) == ("repartition", "", 4, 6, row.step)
        assert (done.by, done.at, done.because) == WHO
        assert summaries.topic_ids(row.lane) == {"metrics": "id1"}
    # whoever had a lane before can no longer commit
    with pytest.raises(Conflict):
        commit(summaries, before[0])


def test_a_lane_that_has_another_owner_by_then_leaves_all_as_it_was(summaries):
    fill(summaries, 4, random.Random(3))
    held = take_over(summaries, summaries.lanes())
    take(summaries, LaneId(AGENT, 3), owner="quick")
    before, rows = content(summaries), summaries.lanes()
    with pytest.raises(Conflict):
        redistribute(summaries, plan(4, 6), held, "cluster-1", WHO, lambda _what, _rows: None)
    assert content(summaries) == before
    assert summaries.lanes() == rows
    assert summaries.interventions(LaneId(AGENT, 0)) == []


def test_a_new_lane_that_a_worker_has_begun_leaves_all_as_it_was(summaries):
    fill(summaries, 4, random.Random(4))
    held = take_over(summaries, summaries.lanes())
    summaries.acquire(LaneId(AGENT, 5), "quick", "cluster-1", 6)
    before = content(summaries)
    with pytest.raises(Conflict, match="lane metrics/5 is there already"):
        redistribute(summaries, plan(4, 6), held, "cluster-1", WHO, lambda _what, _rows: None)
    assert content(summaries) == before


def test_lanes_that_no_worker_ever_had_are_begun(summaries):
    take(summaries, LaneId(AGENT, 2))
    rows = change(summaries, 4, 6)
    assert [(row.lane.partition, row.offsets, row.step) for row in rows] == [
        (0, {}, 1),
        (1, {}, 1),
        (2, {}, 1),
        (3, {}, 1),
        (4, {"metrics": 0}, 1),
        (5, {"metrics": 0}, 1),
    ]


def test_of_two_memories_of_an_id_the_later_one_is_kept(summaries):
    for number, (at, content_) in enumerate([(NOON, b"old"), (NOON, b"x"), (NOON + 9, b"new"), (NOON, b"y")]):
        row = summaries.acquire(LaneId(AGENT, number), "w", "cluster-1", 4)
        commit(summaries, row, seen=[msgspec.structs.replace(seen(7), seen_at=at, content=content_)])
    change(summaries, 4, 6)
    found = [summaries.load(LaneId(AGENT, number), [], [seen(7).seen_id]).seen for number in range(6)]
    assert [next(iter(each.values())) for each in found] == [b"new", b"y", b"new", b"y", b"new", b"y"]


@given(st.text(min_size=1), st.integers(1, 40), st.integers(1, 40))
def test_no_key_leaves_its_group_of_lanes(key, before, more):
    one = plan(before, before + more)
    groups = one.shared()
    (group,) = [each for each in groups if partition_of(key.encode(errors="replace"), before) in each[0]]
    assert partition_of(key.encode(errors="replace"), before + more) in group[1]
    assert sorted(number for each in groups for number in each[0]) == list(range(before))
    assert sorted(number for each in groups for number in each[1]) == list(range(before + more))


def test_partitions_are_never_taken_away():
    for before, after in ((4, 4), (4, 3), (0, 3)):
        with pytest.raises(ValueError, match="can only be added"):
            plan(before, after)
