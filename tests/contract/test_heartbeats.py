"""Signs of life of workers, on every implementation: one row a worker, replaced, forgotten, and apart from steps."""

from concurrent.futures import ThreadPoolExecutor

import msgspec

from tests.contract.summaries_rows import NOON, commit, take
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
        version="0.1.0",
        schemas={"metrics": 2, "deployments": 1},
        started_at=NOON - 60.125,
        beat_at=at,
        interval=5.0,
        resident=2**33,
    )
    return msgspec.structs.replace(row, **changes)


def test_what_a_worker_says_is_what_is_read(summaries):
    row = worker("a", lanes=(LANE_BEAT, msgspec.structs.replace(LANE_BEAT, stepped_at=None, oldest_at=None, lag={})))
    summaries.beat(row)
    assert summaries.workers() == [row]


def test_a_worker_has_one_row_however_often_it_beats(summaries):
    for second in range(3):
        summaries.beat(worker("a", NOON + second, lanes=(LANE_BEAT,) * second))
    assert summaries.workers() == [worker("a", NOON + 2, lanes=(LANE_BEAT, LANE_BEAT))]


def test_workers_are_listed_by_name_and_do_not_touch_each_other(summaries):
    names = ["b", "a", "A", "a b"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: [summaries.beat(worker(name, NOON + beat)) for beat in range(10)], names))
    assert summaries.workers() == [worker(name, NOON + 9) for name in sorted(names)]


def test_a_worker_that_was_silent_for_too_long_is_forgotten_and_no_other(summaries):
    for name, at in (("old", NOON - 1), ("just in time", NOON), ("new", NOON + 1)):
        summaries.beat(worker(name, at))
    assert summaries.forget_workers(NOON) == 1
    assert summaries.forget_workers(NOON) == 0
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
