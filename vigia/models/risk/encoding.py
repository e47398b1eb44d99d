"""From a deployment's values to the columns of its model: those of the recorded projects first, then all others.

The first ones are made in `basis.py` and have a prior from other projects. The others have none: their weights start at
zero. Each of these has a column of its own and an indicator, 1 when the value is not known; times have two columns.
"""

import math
from collections.abc import Sequence

import numpy as np

from vigia.models.risk import basis
from vigia.models.risk.basis import NOT_KNOWN, Column, Vector
from vigia.models.risk.catalog import CLOCK, FEATURES, KAMEI, POSITION, Feature

OTHERS: tuple[Feature, ...] = tuple(
    feature for feature in FEATURES if feature.source not in (KAMEI, CLOCK) and feature.name != "code_changes_size"
)
"""Features beyond the recorded ones. The size of a change stands for lines added and deleted where those are not
known: its column is among the first."""

TIMES: tuple[Feature, ...] = tuple(feature for feature in FEATURES if feature.source == CLOCK)

OTHER_COLUMNS: tuple[Column, ...] = (
    *(Column(feature.name, feature.name) for feature in OTHERS),
    *(Column(f"{feature.name}_not_known", feature.name) for feature in OTHERS),
    *(Column(f"{feature.name}_{wave}", feature.name) for feature in TIMES for wave in ("sine", "cosine")),
)

COLUMNS: tuple[Column, ...] = (*basis.COLUMNS, *OTHER_COLUMNS)

_WHOLE = {"flag": 1.0, "share": 1.0, "percent": 100.0, "ten": 10.0}
_TURN = {"day": 24.0, "week": 7.0}
_KNOWN = tuple((place, POSITION[feature.name], _WHOLE.get(feature.scale, 0.0)) for place, feature in enumerate(OTHERS))
_NONE_KNOWN, _ALL_ABSENT = [NOT_KNOWN] * len(OTHERS), [1.0] * len(OTHERS)
_CYCLES = tuple((POSITION[feature.name], _TURN[feature.scale]) for feature in TIMES)
_SIZE = POSITION["code_changes_size"]
_FIRST = len(basis.FEATURES)


def encode(values: Sequence[float | None]) -> Vector:
    """Return the columns of a deployment, in the order of `COLUMNS`: NaN is "not known", nothing is infinite.

    `values` are those of `catalog.FEATURES`, in their order and units; a shorter list lacks the last ones.

    >>> row = dict(zip((column.name for column in COLUMNS), encode((1.0,)), strict=True))
    >>> float(row["fix"]), float(row["lead_time_not_known"]), bool(np.isnan(row["lead_time"]))
    (1.0, 1.0, True)
    """
    given = values if len(values) == len(FEATURES) else [*values, *[None] * (len(FEATURES) - len(values))]
    known, absent = _NONE_KNOWN.copy(), _ALL_ABSENT.copy()
    for place, position, whole in _KNOWN:
        value = given[position]
        if value is None or value != value:  # noqa: PLR0124  # NaN
            continue
        inside = 0.0 if value < 0.0 else min(value, basis.LARGEST)
        known[place] = min(inside, whole) / whole if whole else math.log1p(inside)
        absent[place] = 0.0
    waves = []
    for position, turn in _CYCLES:
        value = given[position]
        angle = NOT_KNOWN if value is None or not math.isfinite(value) else math.tau * (value / turn % 1.0)
        waves += [math.sin(angle), math.cos(angle)]
    row = [*basis.columns(given[:_FIRST], given[_SIZE]), *known, *absent, *waves]
    return np.fromiter(row, dtype=np.float64, count=len(COLUMNS))
