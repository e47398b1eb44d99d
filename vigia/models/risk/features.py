"""From a deployment event to the columns of the model.

Two steps, so that a deployment can be learned from exactly as it was scored: `raw_values` takes what the event knows,
in the order of `FEATURES`, and is kept; `columns` is a pure function of that and the time of scoring. Only the event
itself is read, so nothing can be used that was not known when the deployment was scored.
"""

import math
from collections.abc import Sequence
from itertools import chain

from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.models.risk.catalog import FEATURES, TIME_COLUMNS, Feature

Raw = tuple[float | None, ...]
"""Values of `FEATURES` in their units, None where not known. A shorter one is from before the last features were
added."""

MISSING_MEAN = 0.25
MISSING_SPREAD = 0.43
"""Prior of an indicator column: one deployment in four lacks a feature (a guess; ten observations' worth)."""

DAY = 86_400.0
WEEK_DAYS = 7
_FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday

_NAMES = tuple((feature.name, feature.missing, feature.scale) for feature in FEATURES)


def raw_values(event: Deployment) -> Raw:
    """Return what `event` knows of its change, one value a feature.

    The deployment's own features win; one that it lacks is combined from its commits as `Feature.combine` says,
    provided that every commit carries it: a sum over some of them would silently take the others for zero.
    """
    own = event.features or ChangeFeatures()
    of_commits = [commit.features for commit in event.commits if commit.features is not None]
    complete = bool(of_commits) and len(of_commits) == len(event.commits)
    values = []
    for feature in FEATURES:
        value: float | None = getattr(own, feature.name)
        if value is None and complete:
            value = _combined(feature, of_commits)
        if value is None and feature.name == "lead_time":
            value = _lead_time(event.commits, event.at)
        values.append(value)
    return tuple(values)


def columns(raw: Sequence[float | None], at: float) -> dict[str, float]:
    """Return the columns of a deployment scored at `at` (epoch seconds): finite, whatever finite values come.

    A feature that is not known has no column of its own, only its indicator; the model puts it at its scope's mean.

    >>> few = columns((1.0, None), at=43_200.0)
    >>> few["fix"], few["fix_missing"], few["ns_missing"], "ns" in few
    (1.0, 0.0, 1.0, False)
    >>> round(few["time_of_day_cos"], 6)
    -1.0
    """
    result: dict[str, float] = {}
    for position, (name, missing, scale) in enumerate(_NAMES):
        value = raw[position] if position < len(raw) else None
        if value is None:
            result[missing] = 1.0
            continue
        if scale == "log":
            result[name] = math.log1p(value)
        else:
            whole = {"flag": 1.0, "percent": 100.0, "ten": 10.0}[scale]
            result[name] = min(value, whole) / whole
        result[missing] = 0.0
    time_of_day = math.tau * (at % DAY) / DAY
    day_of_week = math.tau * ((at // DAY + _FIRST_WEEKDAY) % WEEK_DAYS) / WEEK_DAYS
    result["time_of_day_sin"], result["time_of_day_cos"] = math.sin(time_of_day), math.cos(time_of_day)
    result["day_of_week_sin"], result["day_of_week_cos"] = math.sin(day_of_week), math.cos(day_of_week)
    return result


def value_of(column: str, raw: Sequence[float | None], encoded: dict[str, float]) -> float:
    """Return what a person would call the value of `column`: the feature in its unit, or the column itself."""
    position = _POSITIONS.get(column)
    value = raw[position] if position is not None and position < len(raw) else None
    return encoded[column] if value is None else value


def prior_of_columns() -> dict[str, tuple[float, float]]:
    """Return prior mean and standard deviation of every column, in a fixed order."""
    own = ((feature.name, (feature.typical, feature.spread)) for feature in FEATURES)
    indicators = ((feature.missing, (MISSING_MEAN, MISSING_SPREAD)) for feature in FEATURES)
    # a sine over a uniform turn has mean 0 and standard deviation sqrt(1/2)
    times = ((column.name, (0.0, math.sqrt(0.5))) for column in TIME_COLUMNS)
    return dict(chain(own, indicators, times))


_POSITIONS = {feature.name: position for position, feature in enumerate(FEATURES)}


def _combined(feature: Feature, of_commits: list[ChangeFeatures]) -> float | None:
    given: list[float | None] = [getattr(each, feature.name) for each in of_commits]
    known = [value for value in given if value is not None]
    if len(known) < len(of_commits):
        return None
    if feature.combine == "mean":
        # halved weights and values: a mean of the largest floats must not overflow on its way
        sizes = [min((each.la or 0.0) + (each.ld or 0.0), _LARGEST_SIZE) + 1.0 for each in of_commits]
        total = sum(sizes)
        return sum(value * (size / total) for value, size in zip(known, sizes, strict=True))
    if feature.combine == "sum":
        return min(sum(known), _LARGEST)
    return max(known) if feature.combine == "max" else min(known)


_LARGEST = 1e300
_LARGEST_SIZE = 1e12


def _lead_time(commits: list[Commit], at: float) -> float | None:
    committed = [commit.committed_at for commit in commits if commit.committed_at is not None]
    # one unknown commit may be the earliest; one from after the deployment says that clocks disagree
    if not committed or len(committed) < len(commits) or min(committed) > at:
        return None
    return at - min(committed)
