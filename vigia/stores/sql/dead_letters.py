"""Rows of `dead_letters`: refused events, as people list, replay and accept them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from vigia.stores.base import DeadLetterRow, LaneId
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import dead_letters

_AGE = (dead_letters.c.at, dead_letters.c.letter_id)


def read(database: Database, status: str | None, limit: int, after: str) -> list[DeadLetterRow]:
    """Return refused events by (time, id); `after` is the id of the last one seen."""
    query = select(dead_letters).order_by(*_AGE).limit(limit)
    if status is not None:
        query = query.where(dead_letters.c.status == status)
    if after:
        last = read_one(database, after)
        if last is None:
            raise LookupError(f"there is no dead letter {after!r} to go on after")
        later = tuple_(*_AGE) > tuple_(last.at, last.letter_id)
        # the first condition says the same less sharply: indexes are used for it, not for pairs
        query = query.where(dead_letters.c.at >= last.at, later)
    return [_row(row) for row in database.fetch(query)]


def read_one(database: Database, letter_id: str) -> DeadLetterRow | None:
    """Return one refused event."""
    rows = database.fetch(select(dead_letters).where(dead_letters.c.letter_id == letter_id))
    return _row(rows[0]) if rows else None


def write(database: Database, connection: Connection, rows: Sequence[DeadLetterRow]) -> None:
    """Add refused events; one that is known keeps its status."""
    values = [
        (
            row.letter_id,
            *row.lane,
            row.cluster_id,
            row.topic,
            row.offset,
            row.position,
            row.reason,
            row.detail,
            row.at,
            row.key,
            row.body,
            row.body_size,
            row.status,
        )
        for row in sorted(rows, key=lambda row: row.letter_id)
    ]
    database.statements.write(connection, dead_letters, values)


def mark(database: Database, letter_ids: Sequence[str], status: str) -> int:
    """Set the status of refused events; returns how many had another one."""
    changing = update(dead_letters).where(dead_letters.c.status != status).values(status=status)

    def work(connection: Connection) -> int:
        return sum(
            connection.execute(changing.where(dead_letters.c.letter_id.in_(some))).rowcount
            for some in chunks(sorted(set(letter_ids)))
        )

    return database.write(work)


def _row(row: Row[*tuple[Any, ...]]) -> DeadLetterRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return DeadLetterRow(lane=LaneId(values.pop("agent"), values.pop("partition")), **values)
