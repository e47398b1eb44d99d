"""The values of a deployment's features, as they are known when it is scored.

Only the event, and what the scope has seen before it (`context.Seen`), are read, so nothing can be used that was not
known then. The values are kept with the deployment: it is learned from exactly as it was scored.
"""

from collections.abc import Mapping

import msgspec

from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.models.risk.catalog import FEATURES, POSITION, Feature

Values = tuple[float | None, ...]
"""One value a feature, in the order of `catalog.FEATURES` and their units; None where not known. A shorter one is from
before the last features were added."""

DAY = 86_400.0
HOUR = 3_600.0
_FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday

_NOTHING = ChangeFeatures()
_OF_EVENTS = len(ChangeFeatures.__struct_fields__)  # the first features of the catalog, in the same order
_REST = (None,) * (len(FEATURES) - _OF_EVENTS)
_LA, _LD, _LEAD_TIME, _SIZE = (POSITION[name] for name in ("la", "ld", "lead_time", "code_changes_size"))
_TIME, _WEEKDAY = POSITION["time_of_day"], POSITION["day_of_week"]

_LARGEST = 1e300
_LARGEST_SIZE = 1e12


def values_of(event: Deployment, seen: Mapping[str, float]) -> Values:
    """Return the values of a deployment's features; `seen` are those that the scope knows from its past, by name.

    The deployment's own features win; one that it lacks is combined from its commits as `Feature.combine` says,
    provided that every commit carries it: a sum over some of them would silently take the others for zero. What is
    still not known comes from the past of the scope, where that knows it.
    """
    values: list[float | None] = [*msgspec.structs.astuple(event.features or _NOTHING), *_REST]
    of_commits = [commit.features for commit in event.commits if commit.features is not None]
    if of_commits and len(of_commits) == len(event.commits):
        for position in range(_OF_EVENTS):
            if values[position] is None:
                values[position] = _combined(FEATURES[position], of_commits)
    for name, value in seen.items():
        position = POSITION[name]
        if values[position] is None:
            values[position] = value
    if values[_LEAD_TIME] is None:
        values[_LEAD_TIME] = _lead_time(event.commits, event.at)
    added, deleted = values[_LA], values[_LD]
    if values[_SIZE] is None and added is not None and deleted is not None:
        values[_SIZE] = min(added, _LARGEST) + min(deleted, _LARGEST)
    values[_TIME] = event.at % DAY / HOUR
    values[_WEEKDAY] = (event.at / DAY + _FIRST_WEEKDAY) % 7
    return tuple(values)


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


def _lead_time(commits: list[Commit], at: float) -> float | None:
    committed = [commit.committed_at for commit in commits if commit.committed_at is not None]
    # one unknown commit may be the earliest; one from after the deployment says that clocks disagree
    if not committed or len(committed) < len(commits) or min(committed) > at:
        return None
    return at - min(committed)
