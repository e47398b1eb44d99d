"""The online model of one scope and one kind of label: logistic regression that learns from one outcome at a time.

river does the learning: `preprocessing.StandardScaler`, `linear_model.LogisticRegression` with `optim.AdaGrad`. Its
objects are made anew around the plain state for each call, which takes 4 of the 57 microseconds of learning and means
that what is stored is what is used: no pickles, and a state that went through the store behaves bit for bit as one that
did not.

Failures are rare. An outcome is weighted by the inverse share of its class (the deterministic form of the online
oversampling in Cabral et al., ICSE 2019), so the regression learns as if half of all deployments failed. The log-odds
of the scope's own failure rate are added when scoring, which takes that distortion out again.
"""

import math
from functools import partial
from typing import Any

import msgspec
from river import linear_model, optim, preprocessing
from river.utils import VectorDict

from vigia.models.risk.features import prior_of_columns

LEARNING_RATE = 0.05
"""AdaGrad's; what `docs/domain.md` was measured with."""

PRIOR_OBSERVATIONS = 10
"""How many changes the prior scale of a column weighs as much as."""

INTERCEPT_RATE = 0.001
"""Step of the intercept. The failure rate does the intercept's work; at river's default of 0.01 it wandered (mean
ROC-AUC on the four projects .736 instead of .758, measured with zero prior weights)."""

PRIOR_FAILED = 15.0
PRIOR_CLEAN = 85.0
"""Outcomes that a new scope starts with: 15 %, the border of the better change fail rates in DORA's report of 2021. A
hundred, because what a scope learns first misleads: failures become known at once, that nothing failed only after
weeks."""

PRIOR_WEIGHTS = {"la": 1.0}
"""What a new scope believes: lines added, a standard deviation more of them being e times the odds, nothing else.
Sorting by lines added is what every model has to beat (ROC-AUC .73 to .84 on the four projects), so a scope does that
until its own outcomes say better."""

PRIOR_SQUARES = 100.0
"""How firmly it is believed: AdaGrad starts as if it had seen a hundred gradients of 1, so its first steps are
small."""

RATE_LIMIT = 0.02
"""The failure rate is taken as at least this, and at most one minus this: no outcome weighs more than 25 times."""

COLUMN_LIMIT = 5.0
"""Standard deviations: a column further out is moved in, so that one absurd value can neither decide nor teach much."""

LOG_ODDS_LIMIT = 30.0
"""Larger log-odds are scaled down to this; it keeps the probability apart from 0 and 1 as floats."""

SCHEMA = 1
"""Of the stored state."""


class RiskState(msgspec.Struct, kw_only=True):
    """All that the model of a scope knows; plain data. The dicts have one entry a column, in the same order."""

    counts: dict[str, int]
    """Observations of a column, the prior's among them."""
    means: dict[str, float]
    variances: dict[str, float]
    weights: dict[str, float]
    squares: dict[str, float]
    """Sum of squared gradients of a weight: AdaGrad's accumulators."""
    intercept: float = 0.0
    failed: int = 0
    """Deployments whose latest known outcome is a failure."""
    clean: int = 0
    learned: int = 0
    """Outcomes learned, corrections among them."""

    @property
    def failure_rate(self) -> float:
        """Share of deployments that failed, smoothed by the prior, in [RATE_LIMIT, 1 - RATE_LIMIT]."""
        rate = (self.failed + PRIOR_FAILED) / (self.failed + self.clean + PRIOR_FAILED + PRIOR_CLEAN)
        return min(max(rate, RATE_LIMIT), 1.0 - RATE_LIMIT)


class Score(msgspec.Struct, frozen=True):
    """A probability and what it is made of: `base_log_odds` and the sum of `contributions` are its log-odds."""

    probability: float
    base_log_odds: float
    contributions: dict[str, float]

    @property
    def log_odds(self) -> float:
        """The log-odds of the probability."""
        return self.base_log_odds + sum(self.contributions.values())


def new_state() -> RiskState:
    """Return the state of a scope that has seen nothing: the prior that all scopes share."""
    prior = prior_of_columns()
    return RiskState(
        counts=dict.fromkeys(prior, PRIOR_OBSERVATIONS),
        means={name: mean for name, (mean, _) in prior.items()},
        variances={name: spread * spread for name, (_, spread) in prior.items()},
        weights={name: PRIOR_WEIGHTS.get(name, 0.0) for name in prior},
        squares=dict.fromkeys(prior, PRIOR_SQUARES),
    )


def score(state: RiskState, columns: dict[str, float]) -> Score:
    """Return the probability in (0, 1) that a deployment with these columns fails; the state stays as it is.

    >>> round(score(new_state(), {"la": 2.8}).probability, 6)
    0.15
    """
    rate = state.failure_rate
    base = state.intercept + math.log(rate / (1.0 - rate))
    weights = state.weights
    contributions = {name: weights[name] * value for name, value in _standardised(state, columns).items()}
    total = base + sum(contributions.values())
    if abs(total) > LOG_ODDS_LIMIT:
        shrink = LOG_ODDS_LIMIT / abs(total)
        base *= shrink
        contributions = {name: value * shrink for name, value in contributions.items()}
        total = base + sum(contributions.values())
    return Score(1.0 / (1.0 + math.exp(-total)), base, contributions)


def learn(state: RiskState, columns: dict[str, float], *, failed: bool, corrects: bool = False) -> None:
    """Learn in place that a deployment with these columns (as it was scored) failed or did not.

    `corrects`: the opposite was learned of this deployment before. Counts are moved exactly; the weights cannot
    unlearn, so the right answer is learned on top of the wrong one. The scale of the columns has seen the deployment
    already.
    """
    _count(state, failed=failed, corrects=corrects)
    if not corrects:
        _scaler(state).learn_one(columns)
    rate = state.failure_rate
    regression = _regression(state)
    weight = 0.5 / (rate if failed else 1.0 - rate)
    regression.learn_one(_standardised(state, columns), failed, w=weight)
    state.intercept = regression.intercept


class _Stored(msgspec.Struct, array_like=True):
    """The stored form: one list of names and one list of numbers a kind, half the size of dicts."""

    schema: int
    names: list[str]
    counts: list[int]
    means: list[float]
    variances: list[float]
    weights: list[float]
    squares: list[float]
    intercept: float
    failed: int
    clean: int
    learned: int


def dump(state: RiskState) -> bytes:
    """Return the stored form (msgpack, about 3 kB), which `load` turns into an equal state."""
    return msgspec.msgpack.encode(
        _Stored(
            SCHEMA,
            list(state.means),
            list(state.counts.values()),
            list(state.means.values()),
            list(state.variances.values()),
            list(state.weights.values()),
            list(state.squares.values()),
            state.intercept,
            state.failed,
            state.clean,
            state.learned,
        )
    )


def load(body: bytes) -> RiskState:
    """Return the state from its stored form; raises ValueError when it is of another schema or not whole."""
    try:
        stored = _DECODER.decode(body)
        pair = partial(zip, stored.names, strict=True)
        state = RiskState(
            counts=dict(pair(stored.counts)),
            means=dict(pair(stored.means)),
            variances=dict(pair(stored.variances)),
            weights=dict(pair(stored.weights)),
            squares=dict(pair(stored.squares)),
            intercept=stored.intercept,
            failed=stored.failed,
            clean=stored.clean,
            learned=stored.learned,
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise ValueError(f"not a stored risk model: {error}") from error
    if stored.schema != SCHEMA:
        raise ValueError(f"not a stored risk model: schema {stored.schema}, but this version reads {SCHEMA}")
    _add_new_columns(state)
    return state


_DECODER = msgspec.msgpack.Decoder(_Stored)


def _add_new_columns(state: RiskState) -> None:
    """Give a state from before some features were added the prior of their columns."""
    fresh = new_state()
    for name in [name for name in fresh.means if name not in state.means]:
        for field in ("counts", "means", "variances", "weights", "squares"):
            getattr(state, field)[name] = getattr(fresh, field)[name]


def _count(state: RiskState, *, failed: bool, corrects: bool) -> None:
    state.learned += 1
    if failed:
        state.failed += 1
        state.clean -= corrects
    else:
        state.clean += 1
        state.failed -= corrects


def _scaler(state: RiskState) -> Any:
    scaler = preprocessing.StandardScaler()
    # the state's own dicts: river changes them in place. The prior gives every column an entry and a positive variance.
    scaler.counts, scaler.means, scaler.vars = state.counts, state.means, state.variances  # type: ignore[assignment]
    return scaler


def _regression(state: RiskState) -> Any:
    optimizer = optim.AdaGrad(LEARNING_RATE)
    optimizer.g2 = state.squares  # type: ignore[assignment]
    regression = linear_model.LogisticRegression(optimizer=optimizer, intercept_lr=INTERCEPT_RATE)
    # a VectorDict around the state's own dict, changed in place; river has no public way to set weights
    regression._weights = VectorDict(state.weights)  # noqa: SLF001
    regression.intercept = state.intercept
    return regression


def _standardised(state: RiskState, columns: dict[str, float]) -> dict[str, float]:
    scaled = _scaler(state).transform_one(columns)
    return {name: min(max(value, -COLUMN_LIMIT), COLUMN_LIMIT) for name, value in scaled.items()}
