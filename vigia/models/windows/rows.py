"""Windows and series as summary rows, how a late correction is merged into a window's row, and hours made of rows."""

from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

import msgspec

from vigia.events.samples import Series
from vigia.events.summaries import SeriesSummary, Summary, WindowRow, WindowSummary
from vigia.models.windows.totals import Totals, merged, rolled_up

R = TypeVar("R", bound=WindowRow)


def window_row(series_id: str, start: int, totals: Totals, late: int) -> WindowSummary:
    """Return the row of a window, or of a correction when all its samples came late."""
    return row_of(WindowSummary, series_id, start, totals, late)


def row_of(kind: type[R], series_id: str, start: int, totals: Totals, late: int) -> R:
    """Return the row of a window of any length."""
    return kind(
        series_id=series_id,
        start=start,
        count=totals.count,
        sum=totals.sum,
        min=totals.min,
        max=totals.max,
        sketch=totals.digest,
        late=late,
    )


def merged_rows(row: Summary, partial: Summary) -> Summary:
    """Return the row of a window with a correction merged in; associative and commutative, exactly. The row of a
    series that is seen again after it was forgotten keeps the earliest time.

    Raises TypeError for other rows: nothing else is ever corrected. Raises SketchError when a sketch cannot be read.
    """
    if isinstance(row, SeriesSummary) and isinstance(partial, SeriesSummary):
        return msgspec.structs.replace(partial, first_seen=min(row.first_seen, partial.first_seen))
    if not isinstance(row, WindowSummary) or not isinstance(partial, WindowSummary):
        raise TypeError(f"only windows and series are corrected, not {type(row).__name__} by {type(partial).__name__}")
    totals = merged(totals_in(row), totals_in(partial))
    return window_row(row.series_id, row.start, totals, row.late + partial.late)


def rolled_rows(kind: type[WindowRow], length: int, rows: Sequence[Summary]) -> list[Summary]:
    """Return the rows of longer windows, of `length` seconds, over those of one series, which are given by their start.

    A span without samples has no row. Raises TypeError for rows of other kinds, SketchError for damaged ones.
    """
    made: list[Summary] = []
    for start, group in groupby(map(_checked, rows), key=lambda row: row.start // length * length):
        within = list(group)
        totals = rolled_up([totals_in(row) for row in within])
        made.append(row_of(kind, within[0].series_id, start, totals, sum(row.late for row in within)))
    return made


def totals_in(row: WindowRow) -> Totals:
    """Return the totals that a row holds."""
    return Totals(row.count, row.sum, row.min, row.max, row.sketch)


def series_row(series: Series, first_seen: float) -> SeriesSummary:
    """Return the row that says what a series' id stands for; `first_seen` is in epoch seconds of event time."""
    return SeriesSummary(
        series_id=series.series_id,
        service=series.service,
        environment=series.environment,
        metric=series.metric,
        labels=series.label_text,
        kind=series.kind,
        unit=series.unit,
        first_seen=first_seen,
    )


def _checked(row: Summary) -> WindowRow:
    if not isinstance(row, WindowRow):
        raise TypeError(f"only windows roll up, not {type(row).__name__}")
    return row
