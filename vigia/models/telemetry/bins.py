"""The bins that confidence is counted in: twenty of equal width, four to each of the five buckets that people see.

A bin has its upper border and not its lower one, (0.80, 0.85], and the first has 0 too, as in Guo et al., "On
Calibration of Modern Neural Networks" (ICML 2017) and in scikit-learn's `calibration_curve`.
"""

from bisect import bisect_left

BINS = 20
BUCKETS = 5

NO_CONFIDENCE = -1
"""The bin of decisions that name no confidence."""

BILLIONTHS = 1_000_000_000
"""Sums of confidence and of its squared error are kept in these: whole numbers add up exactly, in every order."""

_BORDERS = tuple(number / BINS for number in range(1, BINS))


def bin_of(confidence: float | None) -> int:
    """Return the bin of a confidence in [0, 1].

    >>> bin_of(0.0), bin_of(0.05), bin_of(0.051), bin_of(1.0), bin_of(None)
    (0, 0, 1, 19, -1)
    """
    return NO_CONFIDENCE if confidence is None else bisect_left(_BORDERS, confidence)


def bucket_of(number: int) -> int:
    """Return the bucket, from 0 to 4, that a bin from 0 to 19 belongs to."""
    return number * BUCKETS // BINS
