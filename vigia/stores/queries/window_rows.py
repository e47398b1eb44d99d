"""The windows, hours or days of series over time."""

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

from sqlalchemy import select

from vigia.events.summaries import SeriesSummary, WindowRow
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES

R = TypeVar("R", bound=WindowRow)

SERIES_AT_ONCE = 200
"""Most series one statement names."""


def window_rows(
    reader: Reader, kind: type[R], series_ids: Sequence[str], start: float, end: float, *, limit: int
) -> list[R]:
    """Return rows of `kind` that start in [start, end), epoch seconds, by series and start; at most `limit`."""
    table, found = TABLES[kind], list[R]()
    for some in chunks(sorted(series_ids), SERIES_AT_ONCE):
        query = select_rows(kind).where(
            table.c.series_id.in_(some), table.c.start >= ceil(start), table.c.start < ceil(end)
        )
        query = query.order_by(table.c.series_id, table.c.start).limit(limit - len(found))
        found += [to_struct(kind, row) for row in reader.fetch(query)]
        if len(found) >= limit:
            break
    return found


def latest_starts(reader: Reader, kind: type[WindowRow], series_ids: Sequence[str]) -> dict[str, int]:
    """Return when the latest row of `kind` starts, by series; those without any are left out.

    One look into the index for each series: a maximum by group would read all of their rows.
    """
    names, rows, found = TABLES[SeriesSummary], TABLES[kind], dict[str, int]()
    latest = select(rows.c.start).where(rows.c.series_id == names.c.series_id).order_by(rows.c.start.desc()).limit(1)
    for some in chunks(sorted(series_ids), SERIES_AT_ONCE):
        query = select(names.c.series_id, latest.scalar_subquery()).where(names.c.series_id.in_(some))
        found.update((row[0], row[1]) for row in reader.fetch(query) if row[1] is not None)
    return found
