"""Rows of `workers`: signs of life. They are read by people and by each other, never by a step.

Their times are the database's: machines whose clocks disagree must not take each other for dead.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from vigia.stores.base import LaneBeat, WorkerRow
from vigia.stores.sql.database import Database
from vigia.stores.sql.lanes import decode_numbers, encode_numbers
from vigia.stores.sql.tables import workers

_LANES = msgspec.json.Decoder(tuple[LaneBeat, ...])


def now(database: Database) -> float:
    """Return the database's time in epoch seconds."""
    with database.reading() as connection:
        return time_of(database, connection)


def time_of(database: Database, connection: Connection) -> float:
    """Return the same, over a connection that is there."""
    return float(connection.exec_driver_sql(database.dialect.now).scalar_one())


def write(database: Database, row: WorkerRow) -> None:
    """Insert or replace a worker's row, with the database's time as that of its beat."""

    def work(connection: Connection) -> None:
        values = (
            row.worker,
            row.host,
            row.pid,
            row.version,
            encode_numbers(row.schemas),
            row.started_at,
            time_of(database, connection),
            row.interval,
            row.resident,
            msgspec.json.encode(row.lanes).decode(),
            row.slot,
        )
        database.statements.write(connection, workers, [values])

    database.write(work)


def read(database: Database) -> list[WorkerRow]:
    """Return all rows, by the worker's name."""
    return [_row(dict(row._mapping)) for row in database.fetch(select(workers).order_by(workers.c.worker))]  # noqa: SLF001 - SQLAlchemy's public name for it


def forget(database: Database, silent_for: float) -> int:
    """Delete rows whose last beat is older than so many seconds; returns how many."""
    before = now(database) - silent_for
    old = [row.worker for row in database.fetch(select(workers.c.worker).where(workers.c.beat_at < before))]
    if not old:
        return 0

    def work(connection: Connection) -> int:
        # by their keys: a scan would lock, and wait for, the rows of those that beat right now
        condition = workers.c.worker.in_(sorted(old)) & (workers.c.beat_at < before)
        return connection.execute(delete(workers).where(condition)).rowcount

    return database.write(work)


def leave(database: Database, worker: str) -> None:
    """Delete one row."""
    database.write(lambda connection: connection.execute(delete(workers).where(workers.c.worker == worker)))


def _row(values: dict[str, Any]) -> WorkerRow:
    read_back = {"schemas": decode_numbers(values["schemas"]), "lanes": _LANES.decode(values["lanes"])}
    return WorkerRow(**values | read_back)
