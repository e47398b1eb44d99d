"""Whether something grows, and how fast: Mann-Kendall, by season where there is one, and Theil-Sen with its interval.

Mann, "Nonparametric tests against trend", Econometrica 13, 1945; Sen, "Estimates of the regression coefficient based on
Kendall's tau", JASA 63, 1968; Hirsch, Slack and Smith, "Techniques of trend analysis for monthly water quality data",
Water Resources Research 18(1), 1982 (the seasonal forms). All are ranks and medians, so outliers do not move them.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

INTERVAL_Z = 1.96
"""Two-sided 95 %."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trend:
    """`z` is Mann-Kendall's statistic, standard normal without a trend; `slope` with its 95 % interval, per step."""

    z: float
    slope: float
    low: float
    high: float
    pairs: int


NO_TREND = Trend(0.0, 0.0, 0.0, 0.0, 0)


def trend_of(values: Floats, groups: NDArray[np.int64] | None = None) -> Trend:
    """Return the trend of values at equal steps, NaN where unknown; with `groups`, only pairs within a group count.

    With groups by the hour of the day a daily cycle is no trend, with groups by the life of a process a restart is
    none. Fewer than two values in every group have no trend.

    >>> trend_of(np.array([1.0, 2.0, 3.5, 4.0, 5.0])).slope
    1.0
    >>> trend_of(np.array([1.0, 9.0, 2.0, 8.0]), np.array([0, 1, 0, 1])).slope
    0.0
    """
    known = np.flatnonzero(~np.isnan(values))
    groups = np.zeros(len(values), np.int64) if groups is None else groups
    # sorted by group, then by time: the groups are runs
    order = known[np.argsort(groups[known], kind="stable")]
    kinds = groups[order]
    earlier, later = np.triu_indices(len(order), 1)
    same = kinds[earlier] == kinds[later]
    earlier, later = order[earlier[same]], order[later[same]]
    if not len(earlier):
        return NO_TREND
    rises = values[later] - values[earlier]
    sizes = np.unique(kinds, return_counts=True)[1]
    variance = float(np.sum(sizes * (sizes - 1) * (2 * sizes + 5))) / 18.0 - _ties(values[order], kinds)
    statistic = float(np.sum(np.sign(rises)))
    slopes = np.sort(rises / (later - earlier))
    if variance <= 0:
        return Trend(0.0, float(np.median(slopes)), float(slopes[0]), float(slopes[-1]), len(slopes))
    # the continuity correction of the normal approximation
    z = (statistic - np.sign(statistic)) / sqrt(variance)
    half = INTERVAL_Z * sqrt(variance)
    low = max(0, int((len(slopes) - half) / 2))
    high = min(len(slopes) - 1, int((len(slopes) + half) / 2))
    return Trend(float(z), float(np.median(slopes)), float(slopes[low]), float(slopes[high]), len(slopes))


def _ties(values: Floats, kinds: NDArray[np.int64]) -> float:
    """Return by how much equal values within a group lower the statistic's variance."""
    _, counts = np.unique(np.stack((kinds.astype(np.float64), values)), axis=1, return_counts=True)
    return float(np.sum(counts * (counts - 1) * (2 * counts + 5))) / 18.0
