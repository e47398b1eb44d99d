"""The heartbeat never disturbs the worker: a store that is away is only logged, and who has left stays away."""

import threading

import msgspec

from tests.support.heartbeats import beat_at
from vigia.app.heartbeat import PRUNE_EVERY, Heart
from vigia.app.slots import NONE
from vigia.stores.base import WorkerRow
from vigia.stores.errors import Transient

NOON = 1_700_000_000.0
ROW = WorkerRow(
    worker="me",
    host="host",
    pid=1,
    slot=NONE,
    version="1",
    schemas={},
    started_at=NOON,
    beat_at=0.0,
    interval=5.0,
    resident=0,
)
OTHER = msgspec.structs.replace(ROW, worker="other", started_at=NOON + 1)


class Away:
    """A store that is away."""

    def beat(self, row):
        raise Transient("away")

    def workers(self):
        raise Transient("away")

    leave = forget_workers = beat


def test_each_beat_writes_the_same_row_anew_and_old_workers_are_forgotten(summaries):
    told = list[list[WorkerRow]]()
    heart = Heart(summaries, ROW, tuple, told.append, forget_after=100.0)
    heart.beat()
    first = summaries.workers()[0].beat_at
    beat_at(summaries, msgspec.structs.replace(OTHER, slot=1, beat_at=summaries.now() - 101))
    for _ in range(PRUNE_EVERY - 1):
        heart.beat()
    assert [row.worker for row in summaries.workers()] == ["me", "other"]
    heart.beat()
    (mine,) = summaries.workers()
    assert (mine.worker, mine.started_at, mine.slot) == ("me", NOON, 0)
    assert mine.beat_at >= first
    assert mine.resident > 1_000_000
    # what is learned of the others is what they said last
    assert [[row.worker for row in rows] for rows in (told[0], told[1], told[-1])] == [["me"], ["me", "other"], ["me"]]
    heart.leave(1.0)
    assert summaries.workers() == []


def test_a_store_that_is_away_is_only_logged(caplog):
    heart = Heart(Away(), ROW, tuple, print, 100.0)  # type: ignore[arg-type]
    heart.beat()
    assert heart.slot is None
    heart.leave(1.0)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_beat_that_was_held_up_does_not_bring_the_row_of_a_worker_back_that_has_left(summaries):
    looking, go_on = threading.Event(), threading.Event()

    def held_up():
        looking.set()
        go_on.wait(10)
        return ()

    heart = Heart(summaries, ROW, held_up, lambda _: None, 100.0)
    late = threading.Thread(target=heart.beat)
    late.start()
    looking.wait(10)
    heart.leave(1.0)
    go_on.set()
    late.join(10)
    assert summaries.workers() == []


def test_leaving_waits_for_a_beat_at_the_store_so_that_the_row_is_gone_afterwards(summaries):
    writing, go_on = threading.Event(), threading.Event()

    class Slow:
        def beat(self, row):
            writing.set()
            go_on.wait(10)
            summaries.beat(row)

        def __getattr__(self, name):
            return getattr(summaries, name)

    heart = Heart(Slow(), ROW, tuple, lambda _: None, 100.0)
    late = threading.Thread(target=heart.beat)
    late.start()
    writing.wait(10)
    leaving = threading.Thread(target=heart.leave, args=(10.0,))
    leaving.start()
    leaving.join(0.05)
    assert leaving.is_alive()
    go_on.set()
    leaving.join(10)
    late.join(10)
    assert summaries.workers() == []


def test_leaving_does_not_wait_for_ever_for_a_store_that_hangs(caplog):
    writing, go_on = threading.Event(), threading.Event()

    class Hanging(Away):
        def workers(self):
            writing.set()
            go_on.wait(10)
            raise Transient("away")

    heart = Heart(Hanging(), ROW, tuple, lambda _: None, 100.0)  # type: ignore[arg-type]
    stuck = threading.Thread(target=heart.beat)
    stuck.start()
    writing.wait(10)
    heart.leave(0.01)
    assert "stays until it is forgotten" in caplog.text
    go_on.set()
    stuck.join(10)


def test_workers_have_different_slots_and_one_that_comes_after_another_takes_its_slot(summaries):
    me, other = (Heart(summaries, row, tuple, lambda _: None, 100.0) for row in (ROW, OTHER))
    me.beat()
    other.beat()
    assert (me.slot, other.slot) == (0, 1)
    me.leave(1.0)
    for start in range(5):
        row = msgspec.structs.replace(ROW, worker=f"start {start}", started_at=NOON + 10 + start)
        again = Heart(summaries, row, tuple, lambda _: None, 100.0)
        again.beat()
        assert again.slot == 0
        if start % 2:
            again.leave(1.0)
        else:
            # killed: its row stays, and is late after a while
            beat_at(summaries, msgspec.structs.replace(row, slot=0, beat_at=summaries.now() - 21))
    other.beat()
    assert other.slot == 1
