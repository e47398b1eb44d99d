"""Whether an AI agent's confidence or accuracy has changed from the span before to this one, as long.

Confidence: the two-sample Kolmogorov-Smirnov test on the twenty bins. Ties within a bin make it cautious: its p-value
is an upper bound. Accuracy: Fisher's exact test on correct and not correct, before and now. A change counts when chance
is an unlikely reason and when it is large enough to matter: with many decisions the smallest change is significant.
"""

from itertools import accumulate
from math import sqrt

import msgspec
from scipy.stats import fisher_exact, kstwobign

from vigia.models.telemetry.bins import BINS
from vigia.models.telemetry.figures import BinCounts, correct_in, decisions_in

ALPHA = 0.01
"""A change with a p-value below it is none of chance."""

MIN_DECISIONS = 30
"""Fewest decisions, before and now, that are compared."""

MIN_DISTANCE = 0.1
"""Least distance of two distributions of confidence, in [0, 1], that matters."""

MIN_CHANGE = 0.05
"""Least change of accuracy that matters."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of two spans; `p_value`, `change` and `drifted` are None when one of them has too few decisions."""

    n_before: int
    n_now: int
    change: float | None
    """Of confidence: the Kolmogorov-Smirnov statistic, in [0, 1]. Of accuracy: now less before, in [-1, 1]."""
    p_value: float | None
    drifted: bool | None


def confidence_drift(before: BinCounts, now: BinCounts) -> Drift:
    """Return how the confidence of all decisions that name one has changed."""
    one, other = _histogram(before), _histogram(now)
    n, m = sum(one), sum(other)
    if min(n, m) < MIN_DECISIONS:
        return Drift(n_before=n, n_now=m, change=None, p_value=None, drifted=None)
    pairs = zip(accumulate(one), accumulate(other), strict=True)
    distance = max(abs(low / n - high / m) for low, high in pairs)
    p_value = float(kstwobign.sf(distance * sqrt(n * m / (n + m))))
    drifted = p_value < ALPHA and distance >= MIN_DISTANCE
    return Drift(n_before=n, n_now=m, change=distance, p_value=p_value, drifted=drifted)


def accuracy_drift(before: BinCounts, now: BinCounts) -> Drift:
    """Return how the accuracy of the judged decisions has changed."""
    n, m = decisions_in(before, "any"), decisions_in(now, "any")
    if min(n, m) < MIN_DECISIONS:
        return Drift(n_before=n, n_now=m, change=None, p_value=None, drifted=None)
    right, right_now = correct_in(before, "any"), correct_in(now, "any")
    p_value = float(fisher_exact([[right, n - right], [right_now, m - right_now]]).pvalue)
    change = right_now / m - right / n
    drifted = p_value < ALPHA and abs(change) >= MIN_CHANGE
    return Drift(n_before=n, n_now=m, change=change, p_value=p_value, drifted=drifted)


def _histogram(counts: BinCounts) -> list[int]:
    made = counts.get("all", {})
    return [made[number].decisions if number in made else 0 for number in range(BINS)]
