"""Two watches over a scope: whether its model is more often wrong than it says, and whether its inputs have changed.

The loss is watched against the model's own expectation. Of a calibrated probability p the log loss has a known mean and
variance, so their differences, added up and faded, are as good as normal while all is well (a cumulative sum in the
manner of Page 1954, with fading for its bound). What senders tell of deployments is watched by two moving averages of
each feature, a long and a short one (Roberts 1959). After an alarm of a feature its new level is the normal one, so a
lasting change is told once; a model that stays worse than it says is told of again after `AGAIN` outcomes.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from vigia.models.risk.catalog import CLOCK, FEATURES, OF_THE_PAST

Kind = Literal["loss", "input", "missing"]

MEMORY = 200.0
"""Outcomes after which one counts 1/e in the loss."""

RECENT, NORMAL = 100.0, 2_000.0
"""Deployments after which one counts 1/e in what is recent, and in what is normal."""

WARM_UP = 200
"""Outcomes, or deployments, before the first alarm; a feature needs twice as many values."""

AGAIN = 1_000
"""Outcomes from one alarm of the loss to the next."""

LOSS_LIMIT = 5.0
"""Standard deviations by which the loss may be above what the model expects."""

INPUT_LIMIT = 1.0
"""Standard deviations of a single value by which the recent mean of a feature may be away from the normal one: a move
that a person would see. See `docs/evaluation.md` for how often that happens on recorded projects."""

MISSING_LIMIT = 0.5
"""By how much the share of deployments without a feature may change."""


class Alarm(NamedTuple):
    """Something changed: `feature` is empty for the loss. `before` and `now` are mean losses, means of log(1 + value),
    or shares of deployments without the feature.
    """

    kind: Kind
    feature: str
    before: float
    now: float
    distance: float
    """In standard deviations; for a feature that came or went, the change of the share that lacks it."""


class Loss(msgspec.Struct, array_like=True):
    """What the model's recent losses were, and what it expected."""

    judged: int = 0
    weight: float = 0.0
    loss: float = 0.0
    expected: float = 0.0
    variance: float = 0.0


class Level(msgspec.Struct, array_like=True):
    """A feature's normal and recent mean, its recent variance, and how often it is missing, normally and recently."""

    seen: int = 0
    mean: float = 0.0
    variance: float = 0.0
    recent: float = 0.0
    missing: float = 0.0
    recent_missing: float = 0.0
    deployments: int = 0


def watch_loss(watch: Loss, probability: float, *, failed: bool) -> Alarm | None:
    """Take in what came of a deployment to which this probability was given; `watch` changes in place."""
    inside = min(max(probability, 1e-6), 1.0 - 1e-6)
    good, bad = -math.log1p(-inside), -math.log(inside)
    kept = 1.0 - 1.0 / MEMORY
    watch.judged += 1
    watch.weight = watch.weight * kept + 1.0
    watch.loss = watch.loss * kept + (bad if failed else good)
    watch.expected = watch.expected * kept + inside * bad + (1.0 - inside) * good
    # the square of what fades, since these are weights of a sum
    watch.variance = watch.variance * kept * kept + inside * (1.0 - inside) * (bad - good) ** 2
    distance = (watch.loss - watch.expected) / math.sqrt(watch.variance + 1e-12)
    if watch.judged < WARM_UP or distance <= LOSS_LIMIT:
        return None
    alarm = Alarm("loss", "", watch.expected / watch.weight, watch.loss / watch.weight, distance)
    watch.judged = WARM_UP - AGAIN
    watch.weight, watch.loss, watch.expected, watch.variance = 0.0, 0.0, 0.0, 0.0
    return alarm


def watch_inputs(levels: dict[str, Level], values: Sequence[float | None]) -> list[Alarm]:
    """Take in the values (of `catalog.FEATURES`) of a deployment; `levels` changes in place."""
    alarms = []
    for feature, value in zip(FEATURES, values, strict=False):
        if feature.source == CLOCK or feature.name in OF_THE_PAST:
            continue
        level = levels.get(feature.name)
        if level is None:
            level = levels[feature.name] = Level()
        given = None if value is None or not math.isfinite(value) else math.log1p(min(max(value, 0.0), 1e9))
        alarm = _came_or_went(level, feature.name, missing=given is None) or (
            None if given is None else _moved(level, feature.name, given)
        )
        if alarm is not None:
            alarms.append(alarm)
            levels[feature.name] = Level()
    return alarms


def _came_or_went(level: Level, name: str, *, missing: bool) -> Alarm | None:
    level.deployments += 1
    share = float(missing)
    # a plain mean at first, then one that fades
    level.missing += (share - level.missing) / min(level.deployments, NORMAL)
    level.recent_missing += (share - level.recent_missing) / min(level.deployments, RECENT)
    distance = level.recent_missing - level.missing
    if level.deployments < WARM_UP or abs(distance) <= MISSING_LIMIT:
        return None
    return Alarm("missing", name, level.missing, level.recent_missing, distance)


def _moved(level: Level, name: str, value: float) -> Alarm | None:
    level.seen += 1
    level.mean += (value - level.mean) / min(level.seen, NORMAL)
    away = value - level.recent
    level.recent += away / min(level.seen, RECENT)
    # about the recent mean: about the normal one, a move would widen the spread that it is measured by
    level.variance += (away * (value - level.recent) - level.variance) / min(level.seen, RECENT)
    spread = math.sqrt(max(level.variance, 0.0)) + 0.05
    distance = (level.recent - level.mean) / spread
    if level.seen < 2 * WARM_UP or abs(distance) <= INPUT_LIMIT:
        return None
    return Alarm("input", name, level.mean, level.recent, distance)
