"""Signs of life of another time: a store gives each its own."""

import sqlalchemy

from vigia.stores.base import WorkerRow
from vigia.stores.sql.summaries import SqlSummaries
from vigia.stores.sql.tables import workers


def beat_at(summaries: SqlSummaries, row: WorkerRow) -> None:
    """Let `row` be the worker's, with the time that it says."""
    summaries.beat(row)
    this = workers.c.worker == row.worker
    aged = sqlalchemy.update(workers).where(this).values(beat_at=row.beat_at)
    summaries._database.write(lambda connection: connection.execute(aged))
