"""Windows for detectors, and what a detector finds in them."""

from collections.abc import Iterable, Sequence
from typing import Any

from vigia.events.samples import Kind, Series
from vigia.models.detectors.base import ClosedWindow, Detector, Finding
from vigia.models.windows.totals import totals_of

MINUTE, HOUR, DAY = 60, 3_600, 86_400
MONDAY = 1_704_067_200
"""A Monday at midnight, UTC: where made-up series begin."""


def series(metric: str, unit: str = "1", kind: Kind = "gauge", **fields: Any) -> Series:
    """A series of the service `shop`."""
    labels = tuple(sorted(fields.pop("labels", {}).items()))
    return Series("id", fields.get("service", "shop"), "production", metric, labels, kind, unit)


def window(mean: float, at: float = MONDAY, count: int = 10, stale: bool = False, **fields: float) -> ClosedWindow:
    """A window of a minute from `at` with this mean; its extremes are `low` and `high`, or the mean."""
    start = int(at)
    low, high = fields.get("low", mean), fields.get("high", mean)
    return ClosedWindow(start=start, end=start + 60, count=count, sum=mean * count, min=low, max=high, stale=stale)


def window_of(values: list[float], at: float = MONDAY) -> ClosedWindow:
    """The window of a minute from `at` that holds these values, with its sketch."""
    totals, start = totals_of(values), int(at)
    return ClosedWindow(
        start=start,
        end=start + 60,
        count=totals.count,
        sum=totals.sum,
        min=totals.min,
        max=totals.max,
        stale=False,
        digest=totals.digest,
    )


def minutes(
    values: Iterable[float | None], at: float = MONDAY, every: int = MINUTE, count: int = 10
) -> list[ClosedWindow]:
    """Windows with these means, one `every` so many seconds from `at` on; None is a gap."""
    return [window(value, at + every * index, count) for index, value in enumerate(values) if value is not None]


def judged(
    detector: Detector, of: Series, windows: Sequence[ClosedWindow], beside: dict[str, float] | None = None
) -> list[Finding | None]:
    """What was found in each window, or None; `beside` are the latest means of companions."""
    state, found = detector.anew(0), []
    for each in windows:
        state, finding = detector.judge(state, each, of, (beside or {}).get)
        found.append(finding)
    return found


def told(
    detector: Detector, of: Series, windows: Sequence[ClosedWindow], beside: dict[str, float] | None = None
) -> list[Finding]:
    """The findings alone."""
    return [finding for finding in judged(detector, of, windows, beside) if finding is not None]


def statuses(
    detector: Detector, of: Series, windows: Sequence[ClosedWindow], beside: dict[str, float] | None = None
) -> list[str]:
    """The status of each finding."""
    return [finding.status for finding in told(detector, of, windows, beside)]
