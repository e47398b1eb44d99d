"""Deletes the windows, hours and days that are no longer kept, a bounded number at a time.

`kept` says from when on a service's rows are kept, and is written by its lane; `pruned` says as far as which everything
older has been deleted, and is written here alone. So nothing is searched that was searched before, and whoever is
interrupted begins with the same service again. Nothing that lanes or readers do depends on when this happens.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Delete, delete, func, or_, select

from vigia.events.summaries import DaySummary, HourSummary, KeptSummary, SeriesSummary, WindowRow, WindowSummary
from vigia.stores.sql.database import Database
from vigia.stores.sql.summary_tables import TABLES
from vigia.stores.sql.tables import pruned

ROWS_AT_ONCE = 2_000
"""Most rows that one transaction deletes: it holds up nobody for long."""

SERIES_AT_ONCE = 500

_LEVELS: tuple[tuple[type[WindowRow], str], ...] = (
    (WindowSummary, "windows_from"),
    (HourSummary, "hours_from"),
    (DaySummary, "days_from"),
)


def prune(database: Database) -> Iterator[int]:
    """Delete what is no longer kept, and yield after each transaction how many rows it has deleted."""
    while True:
        kept = next(iter(_behind(database)), None)
        if kept is None:
            return
        service = kept["service"]
        for series_id in _series(database, service):
            for kind, column in _LEVELS:
                yield from _delete_before(database, kind, series_id, kept[column])
        values = (service, *(kept[column] for _, column in _LEVELS))

        def done(connection: Connection, values: tuple[object, ...] = values) -> None:
            database.statements.write(connection, pruned, [values])

        database.write(done)


def _behind(database: Database) -> list[dict[str, Any]]:
    """Return the row of `kept` of the first service that has rows older than it was pruned to, if there is one."""
    kept = TABLES[KeptSummary]
    later = or_(*(kept.c[column] > func.coalesce(pruned.c[column], 0) for _, column in _LEVELS))
    query = select(kept).select_from(kept.outerjoin(pruned, pruned.c.service == kept.c.service)).where(later)
    rows = database.fetch(query.order_by(kept.c.service).limit(1))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def _series(database: Database, service: str) -> Iterator[str]:
    series, after = TABLES[SeriesSummary], ""
    while True:
        query = select(series.c.series_id).where(series.c.service == service)
        if after:
            query = query.where(series.c.series_id > after)
        found = [row[0] for row in database.fetch(query.order_by(series.c.series_id).limit(SERIES_AT_ONCE))]
        yield from found
        if len(found) < SERIES_AT_ONCE:
            return
        after = found[-1]


def _delete_before(database: Database, kind: type[WindowRow], series_id: str, before: int) -> Iterator[int]:
    """Delete a series' rows from before a time, the oldest first."""
    table = TABLES[kind]
    old = (table.c.series_id == series_id) & (table.c.start < before)
    oldest = select(table.c.start).where(old).order_by(table.c.start).limit(ROWS_AT_ONCE)
    while starts := [row[0] for row in database.fetch(oldest)]:
        # not DELETE ... LIMIT, which SQLite lacks
        statement = delete(table).where(old & (table.c.start <= starts[-1]))

        def work(connection: Connection, statement: Delete = statement) -> int:
            return connection.execute(statement).rowcount

        yield database.write(work)
        if len(starts) < ROWS_AT_ONCE:
            return
