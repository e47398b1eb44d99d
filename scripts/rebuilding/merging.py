"""Reads a table of two databases side by side, row by row in the order of its key, so that memory stays small."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, Table, func, select

from scripts.rebuilding.places import Place
from scripts.rebuilding.tables import KEPT_FROM, Compared
from vigia.events.summaries import KeptSummary, SeriesSummary
from vigia.stores.sql.summary_tables import TABLES

ROWS_AT_ONCE = 2_000

Row = tuple[Any, ...]


def side_by_side(table: Compared, live: Place, rebuilt: Place) -> Iterator[tuple[Row | None, Row | None]]:
    """Return the rows with the same key as pairs; None stands for the row that one of them lacks."""
    left, right = _rows(table, live), _rows(table, rebuilt)
    key, other_key, row, other = (), (), next(left, None), next(right, None)
    while row is not None or other is not None:
        key = _key(table, row, key)
        other_key = _key(table, other, other_key)
        if other is None or (row is not None and key < other_key):
            yield row, None
            row = next(left, None)
        elif row is None or other_key < key:
            yield None, other
            other = next(right, None)
        else:
            yield row, other
            row, other = next(left, None), next(right, None)


def _key(table: Compared, row: Row | None, before: Row) -> Row:
    """Return a row's key; it must be in the order in which Python compares, which is the databases' by code point."""
    if row is None:
        return before
    key = tuple(row[place] for place in table.key)
    if key < before:
        raise AssertionError(f"rows of {table.name} come out of order: {key!r} after {before!r}")
    return key


def _kept(query: Select[Any], rows: Table, kept_from: str) -> Select[Any]:
    """Return the query without what may be deleted at any time: in one of the databases it may be gone already."""
    series, kept = TABLES[SeriesSummary], TABLES[KeptSummary]
    of_series = rows.outerjoin(series, series.c.series_id == rows.c.series_id)
    joined = of_series.outerjoin(kept, kept.c.service == series.c.service)
    return query.select_from(joined).where(rows.c.start >= func.coalesce(kept.c[kept_from], 0))


def _rows(table: Compared, place: Place) -> Iterator[Row]:
    columns = [table.table.c[name] for name in table.columns]
    query = select(*columns).order_by(*[columns[at] for at in table.key])
    if table.name in KEPT_FROM:
        query = _kept(query, table.table, KEPT_FROM[table.name])
    query = query.execution_options(yield_per=ROWS_AT_ONCE)
    with place.database.reading() as connection:
        for row in connection.execute(query):
            yield tuple(row)
