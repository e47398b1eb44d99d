"""When a level that grows reaches its limit, and whether that is anything new.

Two views of its past. The last hour shows what fills within hours. The last days, hour by hour and compared only with
the same hour of other days, show what fills within days, whatever the daily cycle does. Either counts only above the
*ceiling*, what the level was at most in the week before: a cycle, a backup, a cache that warms up again stay below it.
"""

from math import isnan

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigia.models.detectors.history import PEAK_SECONDS, History
from vigia.models.detectors.trend import Floats, Trend, trend_of

LIMIT = 1.0
"""Levels are shares of their limit."""
FINE_PER_HOUR = 12
LEAST_FINE = 8
"""Steps of five minutes that must be known of the last twelve."""
FAR = 4.0
"""A level is not looked at when even at so many times its rise within the hour it would not reach the limit in time."""
FINE_Z = 3.2
"""Twelve rising steps have 4.5; by chance 3.2 comes once in 1,500, where there is no trend at all."""
COARSE_Z = 4.0
DAY = 24
SLOW_DAYS = 4
"""Days in the trend over days."""
WEEK = 7 * DAY
HOURS_A_PEAK = PEAK_SECONDS // 3_600
LEAST_KNOWN = DAY
"""Hours of the past without which nothing is known of what is usual."""
MARGIN = 0.1
"""What is new lies above the ceiling by this share of the range seen, and by more while less than a week is known."""
LEAST_MARGIN = 0.005
"""The same as a share of the level itself, for what hardly varies."""
STEP = 0.5
"""A rise of which more than this share happened from one moment to the next is a step."""
RESTART_DROP = 0.25
"""A level that falls by this share from one hour to the next began a new life: its process was restarted."""
LONGEST = 8_760.0
"""Hours that stand for "not within a year"."""


class Outlook(msgspec.Struct, frozen=True, array_like=True):
    """Hours until the limit is reached, with the 95 % interval of the trend, and the growth per hour."""

    hours: float
    low: float
    high: float
    growth: float
    z: float


def ceiling_of(history: History, hours: int) -> float | None:
    """Return above which level a series is where it was not before the last `hours` (a multiple of three); None while
    too little of its past is known.
    """
    peaks = history.peaks.values()[: -hours // HOURS_A_PEAK]
    known = peaks[~np.isnan(peaks)]
    if len(known) < LEAST_KNOWN // HOURS_A_PEAK:
        return None
    lowest = float(np.fmin.reduce(history.coarse.values(), initial=known.min()))
    highest = float(known.max())
    unknown = max(0.0, 1.0 - len(known) * HOURS_A_PEAK / WEEK)
    return highest + (highest - lowest) * (MARGIN + (1.0 - MARGIN) * unknown) + LEAST_MARGIN * abs(highest)


def within_hours(history: History, most: float, *, new: bool) -> Outlook | None:
    """Return the outlook by the last hour if the limit is at most `most` hours away; with `new`, only above the ceiling
    of what was before the last three hours.
    """
    fine = history.fine.values()
    # without numpy, whose calls cost more than so few values; most levels stay where they were, and end here
    known = [value for value in fine.tolist() if not isnan(value)]
    if len(known) < LEAST_FINE:
        return None
    level = sorted(known[-3:])[1]
    if LIMIT - level > FAR * most * max(0.0, known[-1] - min(known)):
        return None
    if _is_step(fine - known[0]) or (new and not _is_new(level, history, 3)):
        return None
    return _outlook(trend_of(fine), level, FINE_PER_HOUR, FINE_Z, most)


def within_days(history: History, most: float, *, new: bool, lives: bool) -> Outlook | None:
    """Return the outlook by the last days if the limit is at most `most` hours away; with `new`, only when the peak of
    the last day is above the ceiling of the week before. With `lives`, what is before a restart is not compared with
    what comes after it.
    """
    coarse = history.coarse.values()
    if len(coarse) <= DAY or np.isnan(coarse[-DAY:]).all():
        return None
    peaks = history.peaks.values()[-DAY // HOURS_A_PEAK :]
    peak = float(np.fmax.reduce(peaks, initial=np.nanmax(coarse[-DAY:])))
    if new and not _is_new(peak, history, DAY):
        return None
    recent = coarse[-SLOW_DAYS * DAY :]
    hours = (history.coarse.at // 3_600 + np.arange(-len(recent), 0)) % DAY
    groups = hours + DAY * _lives(recent) if lives else hours
    beside_yesterday = np.where(groups[DAY:] == groups[:-DAY], recent[DAY:] - recent[:-DAY], np.nan)
    if _is_step(beside_yesterday[-2 * DAY :]):
        return None
    return _outlook(trend_of(recent, groups), peak, 1, COARSE_Z, most)


def _is_new(level: float, history: History, hours: int) -> bool:
    ceiling = ceiling_of(history, hours)
    return ceiling is not None and level > ceiling


def _is_step(rise: Floats) -> bool:
    """Return whether most of a rise happened at once: then it does not go on, whatever the ranks say of a trend."""
    known = rise[~np.isnan(rise)]
    return len(known) > 1 and float(np.max(np.diff(known))) > STEP * float(np.max(known))


def _lives(values: Floats) -> NDArray[np.int64]:
    """Return the number of restarts before each value."""
    last, lives, number = np.nan, [], 0
    for value in values:
        if value < last - RESTART_DROP * abs(last):
            number += 1
        lives.append(number)
        last = last if np.isnan(value) else value
    return np.array(lives, np.int64)


def _outlook(trend: Trend, level: float, per_hour: int, least_z: float, most: float) -> Outlook | None:
    if trend.z < least_z or trend.low <= 0:
        return None
    hours, low, high = (
        min(LONGEST, max(0.0, LIMIT - level) / (slope * per_hour)) for slope in (trend.slope, trend.high, trend.low)
    )
    return Outlook(hours, low, high, trend.slope * per_hour, trend.z) if hours <= most else None
