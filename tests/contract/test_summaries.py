"""What every summaries' database promises about lanes and steps: one owner, all or nothing, in order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from tests.contract.summaries_rows import LANE, NOON, OTHER, advance, commit, letter, output, seen, take, window
from vigia.events.effects import Timer
from vigia.stores.base import LaneId, StateRow, StepCommit
from vigia.stores.errors import Conflict
from vigia.stores.sql.summaries import SqlSummaries, open_summaries


def test_a_new_lane_has_no_offsets_and_the_cluster_it_was_made_for(summaries):
    row = take(summaries)
    assert (row.version, row.step, row.offsets, row.counts, row.outbox_next) == (1, 0, {}, {}, 0)
    assert (row.lane, row.cluster_id, row.partition_count, row.owner) == (LANE, "cluster-1", 4, "worker-1")
    assert summaries.read_lane(LANE) == row


def test_a_lane_that_was_never_taken_has_no_row(summaries):
    assert summaries.read_lane(LANE) is None
    assert summaries.lanes() == []
    assert summaries.release(LANE) is False


def test_taking_a_lane_over_keeps_its_position_cluster_and_partition_count(summaries):
    before = commit(summaries, take(summaries), lane={"offsets": {"metrics": 10}, "counts": {"metrics.in": 7}})
    after = summaries.acquire(LANE, "worker-2", "another cluster", 8)
    assert after == msgspec.structs.replace(before, version=before.version + 1, owner="worker-2")


def test_what_a_commit_says_of_the_lane_is_what_is_read(summaries):
    figures = {"metrics.in": 2**53, "b": 0, "a": -1}
    row = commit(
        summaries,
        take(summaries),
        lane={
            "offsets": {"z": 2**62, "a": 0},
            "counts": figures,
            "clock": NOON + 0.1,
            "outbox_next": 5,
            "flood_seen": 9,
            "flood_invalid": 3,
            "flood_run": 2,
            "stopped": "flood: 3 of 9 😱",
        },
    )
    assert summaries.read_lane(LANE) == row


def test_topic_ids_are_kept_by_lane_and_topic(summaries):
    assert summaries.topic_ids(LANE) == {}
    summaries.keep_topic_ids(LANE, {"metrics": "a", "notes": "b"})
    summaries.keep_topic_ids(LANE, {"notes": "c"})
    assert summaries.topic_ids(LANE) == {"metrics": "a", "notes": "c"}
    assert summaries.topic_ids(OTHER) == {}


def test_all_lanes_are_listed_by_agent_and_partition(summaries):
    ids = [LaneId("metrics", 10), LaneId("metrics", 2), LaneId("deployments", 0), LaneId("Metrics", 0)]
    for lane in ids:
        take(summaries, lane)
    assert [row.lane for row in summaries.lanes()] == sorted(ids)


def test_a_former_owner_cannot_commit_and_writes_nothing(summaries):
    former = take(summaries, owner="worker-1")
    row = take(summaries, owner="worker-2")
    late = advance(
        former,
        states=[StateRow("checkout", 1, b"late")],
        summaries=[window("a", 0)],
        timers_set=[Timer("close", "a", 1.0)],
        seen=[seen(1)],
        outbox=[output(0)],
        dead_letters=[letter("a")],
    )
    with pytest.raises(Conflict):
        summaries.commit(late)
    assert_nothing_was_written(summaries)
    assert summaries.read_lane(LANE) == row


def test_the_same_commit_again_conflicts(summaries):
    step = advance(take(summaries), outbox=[output(0)])
    summaries.commit(step)
    with pytest.raises(Conflict):
        summaries.commit(step)
    assert summaries.outbox(LANE, 10) == [output(0)]


def test_a_commit_to_a_lane_that_does_not_exist_conflicts(summaries):
    row = take(summaries)
    with pytest.raises(Conflict):
        summaries.commit(advance(msgspec.structs.replace(row, lane=OTHER)))
    assert summaries.read_lane(OTHER) is None


def test_a_commit_that_fails_at_its_last_statement_leaves_nothing_behind(summaries):
    row = commit(summaries, take(summaries))
    step = advance(
        row,
        states=[StateRow("checkout", 1, b"x")],
        summaries=[window("a", 0)],
        timers_set=[Timer("close", "a", 1.0)],
        seen=[seen(1)],
        outbox=[output(0)],
        dead_letters=[letter("a")],
    )
    assert step.step is not None
    twice = msgspec.structs.replace(step.step, sequence=row.step)
    with pytest.raises(IntegrityError):
        summaries.commit(StepCommit(**{name: getattr(step, name) for name in step.__slots__} | {"step": twice}))
    assert_nothing_was_written(summaries)
    assert summaries.read_lane(LANE) == row
    summaries.commit(step)
    assert summaries.read_lane(LANE) == step.lane


def test_a_commit_must_raise_the_version(summaries):
    row = take(summaries)
    with pytest.raises(ValueError, match="raises the lane's version"):
        summaries.commit(StepCommit(row, row.version, None))


def test_workers_that_race_for_a_lane_each_get_a_version_and_only_the_last_may_commit(summaries_url, summaries):
    stores = [open_summaries(summaries_url) for _ in range(4)]
    barrier = threading.Barrier(len(stores))

    def race(number: int):
        barrier.wait()
        return [stores[number].acquire(LANE, f"worker-{number}", "cluster-1", 4) for _ in range(5)]

    with ThreadPoolExecutor(len(stores)) as pool:
        rows = [row for some in pool.map(race, range(len(stores))) for row in some]
    for store in stores:
        store.close()
    assert sorted(row.version for row in rows) == list(range(1, 21))
    *others, last = sorted(rows, key=lambda row: row.version)
    for row in others:
        with pytest.raises(Conflict):
            summaries.commit(advance(row))
    summaries.commit(advance(last))


def test_of_owners_that_commit_at_once_exactly_one_wins(summaries):
    row = take(summaries)
    barrier = threading.Barrier(6)

    def race(number: int) -> bool:
        step = advance(row, states=[StateRow("checkout", 1, b"%d" % number)], outbox=[output(number)])
        barrier.wait()
        try:
            summaries.commit(step)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(race, range(6)))
    assert won.count(True) == 1
    assert summaries.load(LANE, ["checkout"], []).states["checkout"].body == b"%d" % won.index(True)
    assert [one.number for one in summaries.outbox(LANE, 10)] == [won.index(True)]


def test_lanes_commit_side_by_side(summaries):
    def run(number: int) -> int:
        row = take(summaries, LaneId("metrics", number))
        for step in range(10):
            row = commit(summaries, row, summaries=[window(f"{number}-{i}", step * 60) for i in range(20)])
        return row.step

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [10] * 4


def test_a_released_lane_goes_on_with_clean_flood_counters(summaries):
    stopped = {"stopped": "flood", "flood_seen": 1_000, "flood_invalid": 500, "flood_run": 3}
    row = commit(summaries, take(summaries), lane=stopped)
    assert summaries.release(OTHER) is False
    assert summaries.release(LANE) is True
    cleared = msgspec.structs.replace(row, stopped="", flood_seen=0, flood_invalid=0, flood_run=0)
    assert summaries.read_lane(LANE) == cleared
    assert summaries.release(LANE) is False
    commit(summaries, cleared)


def test_steps_are_read_in_order_from_where_asked(summaries):
    row, steps = take(summaries), []
    for _ in range(5):
        step = advance(row)
        summaries.commit(step)
        row = step.lane
        steps.append(step.step)
    commit(summaries, take(summaries, OTHER))
    assert summaries.steps(LANE, 0, 100) == steps
    assert summaries.steps(LANE, 2, 2) == steps[2:4]
    assert summaries.steps(LANE, 5, 100) == []


def test_a_commit_without_a_step_moves_the_lane_alone(summaries):
    row = take(summaries)
    after = msgspec.structs.replace(row, version=row.version + 1, offsets={"metrics": 5})
    summaries.commit(StepCommit(after, row.version, None))
    assert summaries.read_lane(LANE) == after
    assert summaries.steps(LANE, 0, 10) == []


def test_migrating_again_changes_nothing_and_many_may_at_once(summaries_url):
    stores = [open_summaries(summaries_url) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(lambda store: store.migrate(), stores))
    row = take(stores[0])
    stores[1].migrate()
    assert stores[2].read_lane(LANE) == row
    assert stores[3].check() == []
    for store in stores:
        store.close()


def assert_nothing_was_written(summaries: SqlSummaries) -> None:
    loaded = summaries.load(LANE, ["checkout"], [seen(1).seen_id])
    assert (loaded.states, loaded.seen) == ({}, {})
    assert summaries.rows([(type(window("a", 0)), (window("a", 0).series_id, 0))]) == {}
    assert summaries.next_due(LANE) is None
    assert summaries.outbox(LANE, 10) == []
    assert summaries.dead_letters(None, 10) == []
