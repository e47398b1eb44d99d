"""Intervals of 95 % for rates and medians, none of them by resampling: the same data give the same interval."""

from math import ceil

from scipy.special import bdtr, gammaincinv

from vigia.models.intervals import Interval

TAIL = 0.025
"""Probability beyond each end of an interval."""


def poisson_rate(count: int, exposure: float) -> Interval | None:
    """Return the exact interval (Garwood 1936) of a rate, from a count of events in `exposure` units of time.

    >>> [round(each, 3) for each in poisson_rate(10, 1.0)]
    [4.795, 18.39]
    >>> [round(each, 3) for each in poisson_rate(0, 2.0)]
    [0.0, 1.844]
    """
    if exposure <= 0:
        return None
    low = float(gammaincinv(count, TAIL)) if count else 0.0
    return low / exposure, float(gammaincinv(count + 1, 1 - TAIL)) / exposure


def median_rank(n: int) -> int:
    """Return the rank of the lower median: the smallest value that at least half of all do not exceed."""
    return (n + 1) // 2


def p90_rank(n: int) -> int:
    """Return the rank of the smallest value that at least nine in ten do not exceed."""
    return max(1, ceil(0.9 * n - 1e-9))


def median_interval_ranks(n: int) -> tuple[int, int] | None:
    """Return the ranks between which the median lies: whatever the distribution, the order statistics of a sample
    bound it (David and Nagaraja, Order Statistics, 7.1). None below six values, which say too little.

    >>> median_interval_ranks(5), median_interval_ranks(6), median_interval_ranks(100)
    (None, (1, 6), (40, 61))
    """
    low, high = 0, (n + 1) // 2
    # the largest rank r with P(Binomial(n, 1/2) <= r - 1) <= 2.5 %
    while low < high:
        middle = (low + high + 1) // 2
        if float(bdtr(middle - 1, n, 0.5)) <= TAIL:
            low = middle
        else:
            high = middle - 1
    return (low, n - low + 1) if low else None


def ranks(n: int) -> set[int]:
    """Return the ranks that a summary of `n` durations needs."""
    if not n:
        return set()
    return {median_rank(n), p90_rank(n), *(median_interval_ranks(n) or ())}
