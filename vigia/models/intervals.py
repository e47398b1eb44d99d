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
    >>> all(wilson(0, n)[0] == 0.0 and wilson(n, n)[1] == 1.0 for n in range(1, 200))
    True
    """
    if n == 0:
        return None
    share = successes / n
    centre = share + Z * Z / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    whole = 1 + Z * Z / n
    # exact at both ends: by rounding a share of 0 had an interval that did not hold it
    low = 0.0 if successes == 0 else max(0.0, (centre - spread) / whole)
    return low, 1.0 if successes == n else min(1.0, (centre + spread) / whole)
