"""Rows of one level over a span; what has not been rolled up yet is rolled up here, as it will be.

Hours are made a few minutes after their end, and days of them. Who asks before gets them of the windows that are
there, so the last hour and day are what came until now.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from vigia.events.summaries import DaySummary, HourSummary, WindowRow, WindowSummary
from vigia.models.windows.config import DAY, HOUR
from vigia.models.windows.rows import rolled_rows
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.window_rows import window_rows

Level = Literal["window", "hour", "day"]

MOST = 200_000
"""Most rows that one query reads."""

SHORT, LONG = 6 * HOUR, 10 * DAY


class Rows(NamedTuple):
    """Rows by series id, those of each in order; `cut` when there are more than were read."""

    by_series: dict[str, list[WindowRow]]
    cut: bool


def level_for(seconds: float) -> Level:
    """Return the level that gives a span some hundred rows at most.

    >>> level_for(3_600), level_for(86_400), level_for(30 * 86_400)
    ('window', 'hour', 'day')
    """
    return "window" if seconds <= SHORT else "hour" if seconds <= LONG else "day"


def rows_at(reader: Reader, level: Level, starts: Mapping[str, float], end: float) -> Rows:
    """Return the rows of series from their own starts (epoch seconds), by series id, to before `end`."""
    if level == "window":
        return _read(reader, WindowSummary, starts, end)
    kind, length, finer = _MADE_OF[level]
    whole = {series_id: start // length * length for series_id, start in starts.items()}
    found, cut = _read(reader, kind, whole, end)
    after = {each: found[each][-1].start + length if found.get(each) else start for each, start in whole.items()}
    # the last hour or day is a whole one, as it is when it has been rolled up
    left = rows_at(reader, finer, after, -(-end // length) * length)
    for series_id, rows in left.by_series.items():
        made = [row for row in rolled_rows(kind, length, rows) if isinstance(row, WindowRow)]
        found.setdefault(series_id, []).extend(made)
    return Rows(found, cut or left.cut)


_MADE_OF: dict[Level, tuple[type[WindowRow], int, Level]] = {
    "hour": (HourSummary, HOUR, "window"),
    "day": (DaySummary, DAY, "hour"),
}


def _read(reader: Reader, kind: type[WindowRow], starts: Mapping[str, float], end: float) -> Rows:
    """Read each series from its own start; in two queries, as most begin late and few at the earliest one."""
    found, cut = dict[str, list[WindowRow]](), False
    if not starts:
        return Rows(found, cut)
    earliest = min(starts.values())
    early = [series_id for series_id, start in starts.items() if start == earliest]
    late = [series_id for series_id, start in starts.items() if start > earliest]
    for some in (early, late):
        if not some:
            continue
        first = min(starts[series_id] for series_id in some)
        rows = window_rows(reader, kind, some, first, end, limit=MOST + 1)
        cut |= len(rows) > MOST
        for row in rows[:MOST]:
            if row.start >= starts[row.series_id]:
                found.setdefault(row.series_id, []).append(row)
    return Rows(found, cut)
