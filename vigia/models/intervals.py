"""Intervals of 95 % for what was counted; the same counts give the same interval."""

from math import sqrt

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""

Interval = tuple[float, float]


def wilson(successes: int, n: int) -> Interval | None:
    """Return Wilson's score interval of a share (Wilson 1927); None without observations.

    >>> [round(each, 4) for each in wilson(1, 10)]
    [0.0179, 0.4042]
    >>> wilson(0, 0) is None
    True
    """
    if n == 0:
        return None
    share = successes / n
    centre = share + Z * Z / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    whole = 1 + Z * Z / n
    return max(0.0, (centre - spread) / whole), min(1.0, (centre + spread) / whole)
