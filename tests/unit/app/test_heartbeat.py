"""The heartbeat never disturbs the worker: a store that is away is only logged."""

from vigia.app.heartbeat import PRUNE_EVERY, Heart
from vigia.stores.base import WorkerRow
from vigia.stores.errors import Transient
from vigia.stores.sql.summaries import open_summaries

NOON = 1_700_000_000.0
ROW = WorkerRow(
    worker="me",
    host="host",
    pid=1,
    version="1",
    schemas={},
    started_at=NOON,
    beat_at=0.0,
    interval=5.0,
    resident=0,
)


class Away:
    """A store that is away."""

    def beat(self, row):
        raise Transient("away")

    leave = forget_workers = beat


def test_each_beat_writes_the_same_row_anew_and_old_workers_are_forgotten(tmp_path):
    summaries = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    summaries.migrate()
    now, told = NOON, list[list[WorkerRow]]()
    heart = Heart(summaries, ROW, tuple, told.append, lambda: now, forget_after=100.0)
    heart.beat()
    now += PRUNE_EVERY * 5.0
    Heart(summaries, WorkerRow(**{**_fields(), "worker": "other"}), tuple, told.append, lambda: now, 100.0).beat()
    assert [row.worker for row in summaries.workers()] == ["other"]
    heart.beat()
    (mine, _) = summaries.workers()
    assert (mine.worker, mine.beat_at, mine.started_at) == ("me", now, NOON)
    assert mine.resident > 1_000_000
    # what is learned of the others is what they said last
    assert [[row.worker for row in rows] for rows in told] == [["me"], ["other"], ["me", "other"]]
    heart.leave()
    assert [row.worker for row in summaries.workers()] == ["other"]
    summaries.close()


def test_a_store_that_is_away_is_only_logged(caplog):
    heart = Heart(Away(), ROW, tuple, print, lambda: NOON, 100.0)  # type: ignore[arg-type]
    heart.beat()
    heart.leave()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def _fields():
    return {name: getattr(ROW, name) for name in ROW.__struct_fields__}
