"""Since when nothing has come of what open problems are about: without data nobody knows whether they are over."""

from collections.abc import Iterable

from vigia.events.summaries import DaySummary, HourSummary, ProblemSummary, WindowRow, WindowSummary
from vigia.models.windows.config import DAY, HOUR
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.window_rows import latest_starts

QUIET = 900.0
"""Seconds without a window from which on it is told; windows of a silent series are written some minutes late."""


def no_data_since(reader: Reader, problems: Iterable[ProblemSummary], now: float, window: int) -> dict[str, float]:
    """Return when the last window ended of each open problem's series, by problem id, if that is long ago.

    Times are in epoch seconds; `window` is a window's length. Where windows are deleted already, hours and days tell.
    What has no series of its own, such as `problem_limit`, is left out.
    """
    series_of = {each.problem_id: each.series_id for each in problems if each.status == "open"}
    ends = dict[str, float]()
    levels: tuple[tuple[type[WindowRow], int], ...] = ((WindowSummary, window), (HourSummary, HOUR), (DaySummary, DAY))
    for kind, length in levels:
        missing = sorted(set(series_of.values()) - set(ends))
        found = latest_starts(reader, kind, missing)
        ends.update((series_id, min(float(start + length), now)) for series_id, start in found.items())
    return {
        problem_id: ends[series_id]
        for problem_id, series_id in series_of.items()
        if now - ends.get(series_id, now) > QUIET
    }
