"""Bayesian logistic regression that starts from the prior of all scopes and learns one outcome at a time.

Weights have a joint normal distribution; an outcome moves it by one step of the extended Kalman filter (a Laplace
approximation about the present mean). The weights of the columns without a prior from other projects are taken as
independent of all others: a variance each instead of a row of the covariance, which keeps the state small. A linear
calibration of the log-odds follows: its slope by the same step, its shift by the latest outcomes. So a score is a sum:
a base, and what each column adds. Scoring never changes the state, learning does.

Outcomes come late. *Failed* is learned when it becomes known; *clean* after a waiting time, and then not as a plain
"no", because some of the clean ones still turn out to have failed; when that happens, what was held back is learned.
What was learned of a change is kept as its `Lesson`.
"""

import math

import msgspec
import numpy as np

from vigia.models.risk import basis
from vigia.models.risk.basis import Vector
from vigia.models.risk.catalog import BY_NAME, OF_THE_PAST
from vigia.models.risk.encoding import COLUMNS, OTHER_COLUMNS, TIMES
from vigia.models.risk.prior import Prior
from vigia.models.risk.scales import Scales

JOINT = len(basis.COLUMNS) + 1
"""Weights with a joint distribution: those of the first columns, then the intercept. All others follow them."""

SIZE = len(COLUMNS) + 1

WEIGHT_SPREAD = 0.1
"""Prior standard deviation of a weight: how far scopes differ from each other. Mean ROC-AUC on the four recorded
projects is within .001 from .07 to .14."""

INTERCEPT_SPREAD = 0.03
"""The same of the intercept: small, since a level that moves with the latest outcomes spoils the order of scores from
different times (at 1.0 the mean ROC-AUC was .011 lower than at .1)."""

PRIOR_CHANGES = 1_000.0
"""How many changes the prior mean and spread of a column weigh as much as; from 100 to 2,000 the mean ROC-AUC
is within .002."""

OTHERS_SPREAD, INDICATOR_SPREAD, TIMES_SPREAD = 0.1, 0.03, 0.03
"""The same of the columns without a prior. That a value is not known, and the time, are believed to matter less. The
time neither helps nor harms on the recorded projects (mean ROC-AUC .7979 instead of .7980)."""

PAST_SPREAD = 0.005
"""The same of what the scope's past says. It follows the latest outcomes, as a fast level does, and spoils the order of
scores from different times in the same way, while it mends the calibration: at .005, .01, .03 and .1 mean ROC-AUC is
.7979, .7982, .7968 and .7875 (on zulip .7348, .7344, .7309, .7200), the calibration error .033, .031, .026 and .027."""

PRIOR_CHANGES_OTHERS = 10.0
"""`PRIOR_CHANGES` of these columns, whose prior mean and spread are guesses."""

SLOPE_SPREAD = 0.03
"""Prior standard deviation of the calibration's slope (about 1)."""

SHIFT_STEP = 0.005
"""Log-odds that the shift moves by, times the surprise: a memory of about 1,500 outcomes where one in six fails. From
.001 to .01 the mean calibration error on the recorded projects is .027 to .022, the mean ROC-AUC .799 to .800."""

IN_TIME = 0.5
"""Share of failures of which a model is told within the waiting time: half of all recorded defects are found later
(.40, .47, .51, .49 of the four projects). What this leaves of its probability is expected of a change that is clean so
far. For the shift, corrections that come later are therefore no news."""

LATE = 0.05
"""Share of all failures taken to come after "clean": that is learned as `LATE p / (1 - p + LATE p)`. Half of all
recorded defects are found after the waiting time, so recent outcomes look too good; but .2 and more overshoot, since
the rest is made good when the defect is found."""

LOG_ODDS_LIMIT = 30.0
"""Keeps the probability apart from 0 and 1 as floats."""


class State(msgspec.Struct):
    """All that the model of a scope knows. Arrays have one entry a column, unless they say otherwise."""

    mean: Vector
    """Of the weights: of the first columns, the intercept, the other columns."""
    covariance: Vector
    """Of the first `JOINT` weights: `JOINT` times `JOINT`."""
    variances: Vector
    """Of the weights of the other columns."""
    scales: Scales
    slope: float = 1.0
    slope_variance: float = SLOPE_SPREAD**2
    shift: float = 0.0
    failed: int = 0
    clean: int = 0
    """Changes of which that is known now."""
    learned: int = 0
    """Outcomes learned, corrections among them."""


class Score(msgspec.Struct, frozen=True):
    """What is said of a change. Log-odds and `contributions` (one a column) are calibrated and add up: `log_odds` is
    `base` and the sum of `contributions`, which are made when they are asked for: not every score is explained.
    """

    probability: float
    low: float
    high: float
    """90 % interval of the probability, from what is not known of the weights."""
    log_odds: float
    parts: Vector
    """What each weight adds to `raw`."""
    slope: float
    raw: float
    """Log-odds before calibration: what learning needs."""

    @property
    def contributions(self) -> Vector:
        """What each column adds to the log-odds."""
        return np.delete(self.parts, JOINT - 1) * self.slope

    @property
    def base(self) -> float:
        """The log-odds without the contributions."""
        return self.log_odds - float(self.contributions.sum())


class Lesson(msgspec.Struct, array_like=True, frozen=True):
    """What was learned of a change: the target in [0, 1]."""

    target: float


def new_state(prior: Prior) -> State:
    """Return the state of a scope that has seen nothing."""
    variances = np.full(JOINT, WEIGHT_SPREAD**2)
    variances[-1] = INTERCEPT_SPREAD**2
    means, spreads, weights = _OTHERS
    changes = np.full(len(COLUMNS), PRIOR_CHANGES)
    changes[JOINT - 1 :] = PRIOR_CHANGES_OTHERS
    return State(
        mean=np.array([*prior.weights, prior.intercept, *np.zeros(len(OTHER_COLUMNS))]),
        covariance=np.diag(variances),
        variances=np.square(weights),
        scales=Scales(
            changes=changes,
            centre=np.concatenate([prior.means, means]),
            squares=np.square(np.concatenate([prior.spreads, spreads])) * changes,
        ),
    )


def _prior_of_others() -> tuple[Vector, Vector, Vector]:
    """Return mean and spread of each of the other columns, and the spread of its weight."""
    rows = []
    for column in OTHER_COLUMNS:
        feature = BY_NAME[column.feature]
        if feature in TIMES:
            # a sine over a uniform turn has mean 0 and standard deviation sqrt(1/2)
            rows.append((0.0, math.sqrt(0.5), TIMES_SPREAD))
        elif column.name == feature.name:
            spread = PAST_SPREAD if feature.name in OF_THE_PAST else OTHERS_SPREAD
            rows.append((feature.typical, feature.spread, spread))
        else:
            # a sender that never tells a feature is the normal case: then its indicator pushes nowhere
            rows.append((1.0, 0.3, INDICATOR_SPREAD))
    means, spreads, weights = np.array(rows).T
    return means, spreads, weights


_OTHERS = _prior_of_others()


def score(state: State, columns: Vector) -> Score:
    """Return what the model says of a change with these columns (NaN: not known); the state stays as it is."""
    inputs = _with_intercept(state.scales.standard(columns))
    parts = state.mean * inputs
    raw = _limited(float(state.mean.dot(inputs)))
    log_odds = _limited(state.slope * raw + state.shift)
    joint, others = inputs[:JOINT], inputs[JOINT:]
    others *= others
    variance = float(joint.dot(state.covariance.dot(joint)) + state.variances.dot(others))
    spread = 1.645 * abs(state.slope) * math.sqrt(max(variance, 0.0))
    return Score(
        probability=sigmoid(log_odds),
        low=sigmoid(_limited(log_odds - spread)),
        high=sigmoid(_limited(log_odds + spread)),
        log_odds=log_odds,
        parts=parts,
        slope=state.slope,
        raw=raw,
    )


def learn(
    state: State,
    columns: Vector,
    raw: float,
    *,
    failed: bool,
    earlier: Lesson | None = None,
    in_time: float = IN_TIME,
) -> Lesson:
    """Learn in place that a change, once scored `raw`, failed or is clean as far as is known.

    `earlier` is what was learned of it before. A failure after "clean" is learned as the difference. A failure stands:
    what is said of the change after it teaches nothing. `in_time` is the share of such failures that are told of before
    a change is called clean.
    """
    if earlier is not None and (earlier.target == 1.0 or not failed):
        return earlier
    state.learned += 1
    inputs = _with_intercept(state.scales.observe(columns) if earlier is None else state.scales.standard(columns))
    spread = _spread(state, inputs)
    probability = sigmoid(_limited(float(state.mean.dot(inputs))))
    certainty = probability * (1.0 - probability)
    damping = 1.0 + certainty * float(inputs.dot(spread))
    if earlier is not None:
        held_back = 1.0 - earlier.target
        state.mean += spread * (held_back / damping)
        _steepen(state, raw, _said(state, raw), held_back, corrects=True)
        state.failed, state.clean = state.failed + 1, state.clean - 1
        return Lesson(1.0)
    target = 1.0 if failed else _expected(probability, LATE)
    state.mean += spread * ((target - probability) / damping)
    spread *= math.sqrt(certainty / damping)
    joint, others = spread[:JOINT], spread[JOINT:]
    # a vector by itself: the matrix stays symmetric to the last bit, half of it is stored
    state.covariance -= np.dot(joint[:, np.newaxis], joint[np.newaxis])
    others *= others
    state.variances -= others
    said = _said(state, raw)
    _steepen(state, raw, said, (1.0 if failed else _expected(said, LATE)) - said)
    state.shift += SHIFT_STEP * ((1.0 if failed else _expected(said, 1.0 - in_time)) - said)
    state.failed, state.clean = state.failed + failed, state.clean + (not failed)
    return Lesson(target)


def _expected(probability: float, late: float) -> float:
    """Return the share of changes of this probability that fail although they are called clean, when `late` of all
    failures come after that.
    """
    return late * probability / (1.0 - probability + late * probability)


def _with_intercept(columns: Vector) -> Vector:
    inputs = np.empty(SIZE)
    inputs[: JOINT - 1], inputs[JOINT - 1], inputs[JOINT:] = columns[: JOINT - 1], 1.0, columns[JOINT - 1 :]
    return inputs


def _spread(state: State, inputs: Vector) -> Vector:
    """Return the covariance of all weights times `inputs`."""
    spread = np.empty(SIZE)
    np.dot(state.covariance, inputs[:JOINT], out=spread[:JOINT])
    np.multiply(state.variances, inputs[JOINT:], out=spread[JOINT:])
    return spread


def _said(state: State, raw: float) -> float:
    return sigmoid(_limited(state.slope * raw + state.shift))


def _steepen(state: State, raw: float, said: float, surprise: float, *, corrects: bool = False) -> None:
    """Let the calibration's slope learn; `said` is the probability of `raw` by it."""
    certainty = said * (1.0 - said)
    of_slope = state.slope_variance * raw
    rest = 1.0 + certainty * raw * of_slope
    state.slope += of_slope / rest * surprise
    if not corrects:
        state.slope_variance -= certainty / rest * of_slope * of_slope


def _limited(log_odds: float) -> float:
    if -LOG_ODDS_LIMIT < log_odds < LOG_ODDS_LIMIT:
        return log_odds
    return math.copysign(LOG_ODDS_LIMIT, log_odds)


def sigmoid(log_odds: float) -> float:
    """Return the probability that log-odds are."""
    return 1.0 / (1.0 + math.exp(-log_odds))
