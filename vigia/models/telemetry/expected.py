"""Accuracy without labels: what is to be expected of decisions that nobody has judged, from calibrated confidence.

CBPE, confidence-based performance estimation (NannyML): learn from the judged decisions how often each confidence is
right, and average that over the others. The calibration is isotonic regression (Zadrozny and Elkan 2002) over the
twenty bins. It holds as far as the judged decisions are like the others of the same confidence; how well it has done is
measured where judgements exist: each piece of time is foretold from the pieces before it.
"""

from collections.abc import Sequence
from math import pi, sqrt

import msgspec
import numpy as np
from scipy.optimize import isotonic_regression

from vigia.models.telemetry.bins import BINS
from vigia.models.telemetry.figures import BinCounts
from vigia.models.telemetry.tallies import Counts

MIN_JUDGED = 50
"""Fewest judged decisions with a confidence that a calibration is learned from."""

MIN_PIECE = 10
"""Fewest judged decisions of a piece of time that is foretold: with less, chance is all that shows."""


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """How well the method has done on judged decisions: weighted means over `pieces` of time with `n` decisions."""

    pieces: int
    n: int
    error: float
    """Mean absolute difference of expected and found accuracy."""
    chance: float
    """What chance alone would make of it, were the expectation exact."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The expected accuracy of `n` decisions with a confidence that nobody has judged, and of them and the `judged`
    ones `together`. Values are None when there are none, or too few judged ones to calibrate by.
    """

    n: int
    judged: int
    value: float | None
    together: float | None
    foretold: Foretold | None


class Calibration:
    """How often a decision of each bin is right, learned from judged ones."""

    def __init__(self, judged: dict[int, Counts]) -> None:
        known = sorted(number for number in judged if number >= 0 and judged[number].decisions)
        right = np.array([judged[number].correct / judged[number].decisions for number in known])
        weights = np.array([float(judged[number].decisions) for number in known])
        fitted = isotonic_regression(right, weights=weights, increasing=True).x
        # bins that nobody has judged lie between their neighbours, or equal the last one
        self._share = np.interp(np.arange(BINS), known, fitted)

    def correct(self, numbers: dict[int, int]) -> float:
        """Return how many of these decisions, counted by bin, are expected to be right."""
        return float(sum(self._share[number] * count for number, count in numbers.items()))

    def variance(self, numbers: dict[int, int]) -> float:
        """Return the variance of that number, if decisions are right or wrong independently."""
        return float(sum(self._share[each] * (1.0 - self._share[each]) * count for each, count in numbers.items()))


def expected(counts: BinCounts, pieces: Sequence[BinCounts]) -> Expected:
    """Return what is expected of the decisions in `counts`; `pieces` are those before and those, in order of time."""
    made = _sizes(counts.get("all", {}))
    judged = _confident(counts.get("any", {}))
    left = {number: count - _decisions(judged, number) for number, count in made.items()}
    n, of_judged = sum(left.values()), sum(each.decisions for each in judged.values())
    known = _added([_confident(piece.get("any", {})) for piece in pieces])
    if not n or sum(each.decisions for each in known.values()) < MIN_JUDGED:
        return Expected(n=n, judged=of_judged, value=None, together=None, foretold=_foretold(pieces))
    right = Calibration(known).correct(left)
    together = (right + sum(each.correct for each in judged.values())) / (n + of_judged)
    return Expected(n=n, judged=of_judged, value=right / n, together=together, foretold=_foretold(pieces))


def _foretold(pieces: Sequence[BinCounts]) -> Foretold | None:
    """Return how well each piece is foretold from those before it; None when there are too few judgements."""
    known: dict[int, Counts] = {}
    found: list[tuple[int, float, float]] = []
    for piece in pieces:
        judged = _confident(piece.get("any", {}))
        n = sum(each.decisions for each in judged.values())
        if n >= MIN_PIECE and sum(each.decisions for each in known.values()) >= MIN_JUDGED:
            calibration, sizes = Calibration(known), _sizes(judged)
            error = abs(calibration.correct(sizes) - sum(each.correct for each in judged.values())) / n
            # the mean of |X| for a normal X around 0
            found.append((n, error, sqrt(2.0 / pi * calibration.variance(sizes)) / n))
        known = _added([known, judged])
    n = sum(size for size, _, _ in found)
    if not n:
        return None
    error, chance = (sum(each[0] * each[place] for each in found) / n for place in (1, 2))
    return Foretold(pieces=len(found), n=n, error=error, chance=chance)


def _confident(counts: dict[int, Counts]) -> dict[int, Counts]:
    return {number: each for number, each in counts.items() if number >= 0 and each.decisions}


def _sizes(counts: dict[int, Counts]) -> dict[int, int]:
    return {number: each.decisions for number, each in _confident(counts).items()}


def _decisions(counts: dict[int, Counts], number: int) -> int:
    return counts[number].decisions if number in counts else 0


def _added(many: Sequence[dict[int, Counts]]) -> dict[int, Counts]:
    total: dict[int, Counts] = {}
    for counts in many:
        for number, each in counts.items():
            held = total.get(number, Counts(0))
            total[number] = Counts(*(one + other for one, other in zip(held, each, strict=True)))
    return total
