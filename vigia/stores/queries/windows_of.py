"""The windows of a metric over time."""

from math import ceil

import msgspec

from vigia.events.summaries import SeriesSummary, WindowSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES

MAX_SERIES = 200
"""Most series (label combinations) that one answer has."""


class MetricWindows(msgspec.Struct, frozen=True):
    """The series of a metric, by id, and their windows, by series id and start; `cut` when a limit left some out."""

    series: list[SeriesSummary]
    windows: list[WindowSummary]
    cut: bool


def windows_of(
    reader: Reader, service: str, environment: str, metric: str, start: float, end: float, *, limit: int = 10_000
) -> MetricWindows:
    """Return the windows that start in [start, end), in epoch seconds, at most `limit`."""
    names, windows = TABLES[SeriesSummary], TABLES[WindowSummary]
    named = select_rows(SeriesSummary).where(
        names.c.service == service, names.c.environment == environment, names.c.metric == metric
    )
    rows = reader.fetch(named.order_by(names.c.series_id).limit(MAX_SERIES + 1))
    series = [to_struct(SeriesSummary, row) for row in rows[:MAX_SERIES]]
    if not series:
        return MetricWindows([], [], cut=False)
    query = select_rows(WindowSummary).where(
        windows.c.series_id.in_([one.series_id for one in series]),
        windows.c.start >= ceil(start),
        windows.c.start < ceil(end),
    )
    found = reader.fetch(query.order_by(windows.c.series_id, windows.c.start).limit(limit + 1))
    cut = len(rows) > MAX_SERIES or len(found) > limit
    return MetricWindows(series, [to_struct(WindowSummary, row) for row in found[:limit]], cut)
