"""What is told of a series: of each window, and of all of them together.

The rate of a counter in a window is what it grew by since the last sample before the window, by the time since then;
so no increase is lost between windows, and a gap has the mean rate over it. The first window of a span has only its own
samples. A gauge has no rate, a counter no quantiles.
"""

from collections.abc import Sequence

import msgspec

from vigia.events.summaries import SeriesSummary, WindowRow
from vigia.models.windows.climb import Climb, step
from vigia.models.windows.rows import totals_in
from vigia.models.windows.totals import Totals, climb_in, rolled_up, sketch_in


class Figures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Figures over some samples, in the unit of their series; `rate` is per second. None: there is no such figure."""

    count: int
    min: float
    max: float
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    increase: float | None = None
    rate: float | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A window, hour or day; `start` in epoch seconds, `late` as in its row."""

    start: int
    late: int
    figures: Figures


class SeriesFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A series over a span. `missing` are the windows (hours, days) without samples between its first and last one."""

    series: SeriesSummary
    total: Figures
    missing: int
    points: list[Point]


def figures_of(series: SeriesSummary, rows: Sequence[WindowRow], length: int) -> SeriesFigures:
    """Return the figures of one or more rows of a series, in order, each of `length` seconds."""
    points = []
    before: Climb | None = None
    for row in rows:
        points.append(Point(start=row.start, late=row.late, figures=_figures(totals_in(row), before)))
        before = climb_in(row.sketch) or before
    whole = (rows[-1].start - rows[0].start) // length + 1
    total = _figures(rolled_up([totals_in(row) for row in rows]), None)
    return SeriesFigures(series=series, total=total, missing=max(0, whole - len(rows)), points=points)


def _figures(totals: Totals, before: Climb | None) -> Figures:
    climb = climb_in(totals.digest)
    if climb is not None:
        since = before.last_at if before else climb.first_at
        increase = climb.increase + (step(before.last, climb.first) if before else 0.0)
        rate = increase / (climb.last_at - since) if climb.last_at > since else None
        return Figures(count=totals.count, min=totals.min, max=totals.max, increase=increase, rate=rate)
    sketch = sketch_in(totals.digest)
    # the sketch's figure may lie 1 % beyond the extremes, which are exact
    p50, p95, p99 = (min(max(sketch.quantile(q), totals.min), totals.max) for q in (0.5, 0.95, 0.99))
    mean = totals.sum / totals.count
    return Figures(count=totals.count, min=totals.min, max=totals.max, mean=mean, p50=p50, p95=p95, p99=p99)
