"""Windows and series as summary rows, and how a late correction is merged into a window's row."""

import msgspec

from vigia.events.samples import Series
from vigia.events.summaries import SeriesSummary, Summary, WindowSummary
from vigia.models.windows.totals import Totals, merged


def window_row(series_id: str, start: int, totals: Totals, late: int) -> WindowSummary:
    """Return the row of a window, or of a correction when all its samples came late."""
    return WindowSummary(
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
    totals = merged(_totals(row), _totals(partial))
    return window_row(row.series_id, row.start, totals, row.late + partial.late)


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


def _totals(row: WindowSummary) -> Totals:
    return Totals(row.count, row.sum, row.min, row.max, row.sketch)
