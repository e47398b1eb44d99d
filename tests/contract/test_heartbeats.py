"""Signs of life of workers, on every implementation: one row a worker, replaced, forgotten, and apart from steps."""

import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tests.contract.summaries_rows import NOON, commit, take
from tests.support.heartbeats import beat_at
from vigia.stores.base import LaneBeat, WorkerRow

LANE_BEAT = LaneBeat(
    agent="metrics",
    partition=3,
    state="working",
    step=9,
    stepped_at=NOON + 1.5,
    clock=NOON,
    lag={"metrics": 2**40},
    oldest_at=NOON - 7.25,
    stopped="1000 invalid events in a row 😱",
)


def worker(name: str, at: float = NOON, **changes) -> WorkerRow:
    row = WorkerRow(
        worker=name,
        host="host-1",
        pid=2**31 + 1,
        slot=2**31 - 1,
        version="0.1.0",
        schemas={"metrics": 2, "deployments": 1},
        started_at=NOON - 60.125,
        beat_at=at,
        interval=5.0,
        resident=2**33,
    )
    return msgspec.structs.replace(row, **changes)


def timeless(rows):
    return [msgspec.structs.replace(row, beat_at=NOON) for row in rows]


def test_what_a_worker_says_is_what_is_read(summaries):
    row = worker("a", lanes=(LANE_BEAT, msgspec.structs.replace(LANE_BEAT, stepped_at=None, oldest_at=None, lag={})))
    summaries.beat(row)
    assert timeless(summaries.workers()) == [row]


@pytest.mark.parametrize("wrong_by", [-86_400.0, 86_400.0])
def test_a_sign_of_life_has_the_stores_time_however_wrong_its_workers_clock_is(summaries, wrong_by):
    before = summaries.now()
    summaries.beat(worker("a", before + wrong_by))
    (row,) = summaries.workers()
    # SQLite's time has milliseconds
    assert before - 0.002 <= row.beat_at <= summaries.now() + 0.002
    assert not row.late(row.beat_at + 4 * row.interval)
    assert row.late(row.beat_at + 4 * row.interval + 0.1)


def test_the_stores_time_is_the_time_of_day_in_utc(summaries):
    assert abs(summaries.now() - time.time()) < 60


def test_a_worker_has_one_row_however_often_it_beats(summaries):
    for second in range(3):
        summaries.beat(worker("a", lanes=(LANE_BEAT,) * second))
    assert timeless(summaries.workers()) == [worker("a", lanes=(LANE_BEAT, LANE_BEAT))]


def test_workers_are_listed_by_name_and_do_not_touch_each_other(summaries):
    names = ["b", "a", "A", "a b"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: [summaries.beat(worker(name, slot=beat)) for beat in range(10)], names))
    assert timeless(summaries.workers()) == [worker(name, slot=9) for name in sorted(names)]


def test_a_worker_that_was_silent_for_too_long_is_forgotten_and_no_other(summaries):
    now = summaries.now()
    for name, at in (("old", now - 3_601), ("just in time", now - 3_540), ("new", now)):
        beat_at(summaries, worker(name, at))
    assert summaries.forget_workers(3_600) == 1
    assert summaries.forget_workers(3_600) == 0
    assert [row.worker for row in summaries.workers()] == ["just in time", "new"]


def test_a_worker_that_leaves_is_gone_at_once_and_may_leave_twice(summaries):
    summaries.beat(worker("a"))
    summaries.beat(worker("b"))
    for _ in range(2):
        summaries.leave("a")
    assert [row.worker for row in summaries.workers()] == ["b"]


def test_a_sign_of_life_changes_nothing_of_the_lanes(summaries):
    row = commit(summaries, take(summaries))
    summaries.beat(worker("a", lanes=(LANE_BEAT,)))
    assert summaries.read_lane(row.lane) == row
    commit(summaries, row)
