"""Rows of `due`: the timers of lanes."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from vigia.events.effects import Timer
from vigia.stores.base import LaneId
from vigia.stores.sql.conditions import chunks, in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import due

_BY_TIME = (due.c.due, due.c.kind, due.c.key)


def read_due(database: Database, lane: LaneId, until: float, limit: int) -> list[Timer]:
    """Return timers with due <= `until`, earliest first."""
    query = select(due.c.kind, due.c.key, due.c.due).where(in_lane(due, lane), due.c.due <= until)
    return [Timer(*row) for row in database.fetch(query.order_by(*_BY_TIME).limit(limit))]


def next_due(database: Database, lane: LaneId) -> float | None:
    """Return when the lane's earliest timer is due."""
    rows = database.fetch(select(due.c.due).where(in_lane(due, lane)).order_by(*_BY_TIME).limit(1))
    return rows[0][0] if rows else None


def write(
    database: Database,
    connection: Connection,
    lane: LaneId,
    timers_set: Sequence[Timer],
    timers_cleared: Sequence[tuple[str, str]],
) -> None:
    """Clear timers, then set or move others, in key order."""
    cleared: defaultdict[str, list[str]] = defaultdict(list)
    for kind, key in sorted(timers_cleared):
        cleared[kind].append(key)
    for kind, all_keys in cleared.items():
        # kind by kind: SQLite and MySQL write lists of pairs differently
        for keys in chunks(all_keys):
            connection.execute(delete(due).where(in_lane(due, lane), due.c.kind == kind, due.c.key.in_(keys)))
    ordered = sorted(timers_set, key=lambda timer: (timer.kind, timer.key))
    database.statements.write(connection, due, [(*lane, timer.kind, timer.key, timer.due) for timer in ordered])
