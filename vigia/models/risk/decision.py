"""What is decided from a score: the set {ok}, {fail} or both, and a plain yes or no; both follow the outcomes.

The set errs when the truth is not in it. It is conformal by class (Mondrian): its lower border follows the 10 %
quantile of the scores of failing changes, its upper border the 90 % quantile of those of clean ones, each by online
quantile descent as in adaptive conformal inference (Gibbs and Candes 2021). So a tenth of either class is outside,
whatever share fails. {ok, fail} means that a person should look. An empty set cannot occur: where the borders cross,
both answers are given. An answer is excluded only once the scope itself has seen enough outcomes of its class: before
that the borders are other projects', and say nothing of this one at the stated level.
"""

import math
from typing import Literal

import msgspec

ERROR_LEVEL = 0.1
"""Stated share of the sets that miss the truth."""

ENOUGH = math.ceil(1 / ERROR_LEVEL) - 1
"""Outcomes of a class from which on it may be excluded: with fewer, no conformal p-value is below the stated level."""

STEP = 0.003
"""Log-odds that a border moves by, times the surprise. On the recorded projects .01 and .001 gave the same error within
a point."""

THRESHOLD_STEP = 0.0001
"""Log-odds that the threshold moves by for a miss, weighted by class. Faster steps followed noise: .01 cost .02 of
G-mean."""

RATE_MEMORY = 2_000.0
"""Outcomes after which one counts 1/e for the share of failures."""

Answer = Literal["ok", "fail"]


class Borders(msgspec.Struct, array_like=True):
    """Where decisions change, in the model's log-odds before calibration."""

    low: float
    high: float
    threshold: float
    failed: float
    clean: float
    """Decayed counts of outcomes, the prior's among them, to weight the threshold's steps by class."""
    seen_failed: int = 0
    seen_clean: int = 0
    """The scope's own outcomes."""


class Moves(msgspec.Struct, array_like=True, frozen=True):
    """How far a clean outcome moved the borders, to take it back if it was wrong."""

    high: float = 0.0
    threshold: float = 0.0


def decide(borders: Borders, log_odds: float) -> tuple[Answer, ...]:
    """Return the answers that cannot be excluded.

    >>> borders = Borders(-2.0, 1.0, threshold=-1.0, failed=20.0, clean=80.0, seen_failed=20, seen_clean=80)
    >>> decide(borders, -3.0), decide(borders, 0.0), decide(borders, 2.0)
    (('ok',), ('ok', 'fail'), ('fail',))
    """
    ok = log_odds <= borders.high or borders.seen_clean < ENOUGH
    fail = log_odds >= borders.low or borders.seen_failed < ENOUGH
    if ok == fail:
        return ("ok", "fail")
    return ("ok",) if ok else ("fail",)


def learn_failed(borders: Borders, log_odds: float, corrects: Moves | None) -> None:
    """Move the borders in place for a change that was scored `log_odds` and failed; `corrects` is what was learned when
    it was called clean.
    """
    if corrects is None:
        _fade(borders)
    else:
        borders.high -= corrects.high
        borders.threshold -= corrects.threshold
        borders.clean = max(borders.clean - 1.0, 1.0)
        borders.seen_clean -= 1
    borders.failed += 1.0
    borders.seen_failed += 1
    # a failing change counts twice: there are fewer
    borders.low += 2.0 * STEP * (ERROR_LEVEL - (log_odds < borders.low))
    if log_odds < borders.threshold:
        borders.threshold -= THRESHOLD_STEP * 0.5 * (borders.failed + borders.clean) / borders.failed


def learn_clean(borders: Borders, log_odds: float) -> Moves:
    """Move the borders in place for a change that was scored `log_odds` and proved clean; return how far."""
    _fade(borders)
    borders.clean += 1.0
    borders.seen_clean += 1
    high = STEP * ((log_odds > borders.high) - ERROR_LEVEL)
    threshold = 0.0
    if log_odds >= borders.threshold:
        threshold = THRESHOLD_STEP * 0.5 * (borders.failed + borders.clean) / borders.clean
    borders.high += high
    borders.threshold += threshold
    return Moves(high, threshold)


def _fade(borders: Borders) -> None:
    borders.failed *= 1.0 - 1.0 / RATE_MEMORY
    borders.clean *= 1.0 - 1.0 / RATE_MEMORY
