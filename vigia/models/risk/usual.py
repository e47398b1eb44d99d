"""What a scope's deployments are like by what its model says of them, and what is decided from a score beside that.

*Called* failing is a deployment that is riskier than the mean of the latest ones: the answer for who must have one. The
*decision set* {ok}, {fail} or both errs when the truth is not in it. Its borders are quantiles of the latest
deployments by class: a tenth of those that fail lies below the lower one, a tenth of the clean ones above the upper
one. Which of them fail is not known for months; how many are expected to, the model says, so each counts for either
class by its probability. So the borders follow what is deployed at once, and outcomes by the model's calibration; that
they err as often as stated holds as far as that is calibrated (ADR 0025). {ok, fail} means that a person should
look. An empty set cannot occur: where the borders cross, both answers are given.
"""

import math
from typing import Literal

import msgspec

from vigia.models.risk.bayes import sigmoid
from vigia.models.risk.prior import Prior

ERROR_LEVEL = 0.1
"""Stated share of the sets that miss the truth."""

ENOUGH = math.ceil(1 / ERROR_LEVEL) - 1
"""Outcomes of a class that the scope must have had before that answer may be excluded: before, its probabilities are
other projects'.
"""

STEP = 0.1
"""Log-odds that a border moves by for a deployment that is certain to be of its class. On the recorded projects .03 and
.1 err as often within half a point; .01 follows too slowly (docs/evaluation.md)."""

MEMORY = 200.0
"""Deployments after which one counts 1/e in the mean. With 100, 300 and 1,000 the G-mean over time is .730, .728 and
.722 on average."""

Answer = Literal["ok", "fail"]


class Usual(msgspec.Struct, array_like=True):
    """What was said of the latest deployments."""

    mean: float
    """Of their probabilities."""
    low: float
    high: float
    """The borders, in calibrated log-odds."""


def new_usual(prior: Prior) -> Usual:
    """Return what is taken for usual in a scope that has deployed nothing."""
    return Usual(sigmoid(prior.threshold), prior.low, prior.high)


def take(usual: Usual, probability: float) -> None:
    """Take in what was said of one more deployment, once it was decided about; changes `usual`.

    The borders move by quantile descent: at rest, as much probability of failing lies below `low` as `ERROR_LEVEL` of
    all of it, and as much of being clean above `high`.
    """
    log_odds = math.log(probability / (1.0 - probability))
    usual.mean += (probability - usual.mean) / MEMORY
    # a failing deployment counts twice: there are fewer
    usual.low += 2.0 * STEP * probability * (ERROR_LEVEL - (log_odds < usual.low))
    usual.high += STEP * (1.0 - probability) * ((log_odds > usual.high) - ERROR_LEVEL)


def decide(usual: Usual, log_odds: float, failed: int, clean: int) -> tuple[Answer, ...]:
    """Return the answers that cannot be excluded; `failed` and `clean` are the outcomes that the scope has had.

    >>> usual = Usual(0.2, -2.0, 1.0)
    >>> decide(usual, -3.0, 20, 80), decide(usual, 0.0, 20, 80), decide(usual, 2.0, 20, 80), decide(usual, 2.0, 20, 8)
    (('ok',), ('ok', 'fail'), ('fail',), ('ok', 'fail'))
    """
    ok = log_odds <= usual.high or clean < ENOUGH
    fail = log_odds >= usual.low or failed < ENOUGH
    if ok == fail:
        return ("ok", "fail")
    return ("ok",) if ok else ("fail",)


def called(usual: Usual, probability: float) -> Answer:
    """Return the plain answer, for who must have one."""
    return "fail" if probability > usual.mean else "ok"
