"""From a change's 14 features (Kamei et al. 2013) to the columns of the Bayesian model.

The model adds up what its columns say, so all that is not a straight line is in the columns: squares, hinges (lines
that begin at a knot) and two products. Features are taken as log(1 + x), clipped to a finite range. One that is not
known is not taken for zero: its columns stay at the scope's mean, and `missing` says which share is absent.
"""

import math
import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

FEATURES = ("fix", "ns", "nd", "nf", "entropy", "la", "ld", "lt", "ndev", "age", "nuc", "exp", "rexp", "sexp")
"""The features that are read, in the order in which their values are given."""

LARGEST = 1e9
"""Values above are taken as this one: no count of lines, files or days comes near."""

KNOTS = (
    ("la", 2.0),
    ("la", 3.5),
    ("la", 5.0),
    ("ld", 2.0),
    ("lt", 5.0),
    ("lt", 7.0),
    ("nuc", 2.0),
    ("age", 3.0),
    ("nf", 1.5),
)
"""Where a feature's line may bend, on its log scale (la: 6, 32 and 147 lines): round numbers, not searched for.

With them the mean ROC-AUC on the four recorded projects was .799 instead of .796.
"""

SQUARED = ("la", "ld", "lt", "age", "nuc", "ndev")


class Column(NamedTuple):
    """A column's name, and the feature that an explanation names for it."""

    name: str
    feature: str


COLUMNS: tuple[Column, ...] = (
    *(Column(name, name) for name in FEATURES),
    Column("empty", "empty"),
    *(Column(f"{name}_squared", name) for name in SQUARED),
    Column("la_by_nf", "la"),
    Column("la_by_lt", "la"),
    Column("lt_is_zero", "lt"),
    Column("la_is_zero", "la"),
    *(Column(f"{name}_above_{knot}", name) for name, knot in KNOTS),
    Column("lines_changed", "la"),
    Column("la_per_nd", "la"),
    Column("nuc_over_ndev", "nuc"),
    Column("missing", "missing"),
)
"""`empty` is a change in which every feature but `fix` is zero, as merges are recorded."""

_POSITION = {name: position for position, name in enumerate(FEATURES)}
_LA, _LD, _LT, _ND, _NF = (_POSITION[name] for name in ("la", "ld", "lt", "nd", "nf"))
_NUC, _NDEV, _AGE = (_POSITION[name] for name in ("nuc", "ndev", "age"))
_KNOTS = tuple((_POSITION[name], knot) for name, knot in KNOTS)
_SQUARED = tuple(_POSITION[name] for name in SQUARED)
NOT_KNOWN = math.nan
"""What a column holds whose value is not known."""


def columns(values: Sequence[float | None], size: float | None = None) -> list[float]:
    """Return the columns of a change, in the order of `COLUMNS`; NaN stands for "not known".

    `values` are in the units and the order of `FEATURES`; None and NaN are not known, what is below zero is taken as
    zero. `size` is the number of lines changed, used where lines added or deleted are not known. Nothing returned is
    infinite.

    >>> change = columns([1, 1, 1, 2, 0.5, 10, None, 100, 3, 2, 5, 20, 8, 6])
    >>> round(change[5], 3), change[6], round(change[-1], 3)
    (2.398, nan, 0.071)
    """
    given = [value if value is not None and 0.0 <= value < LARGEST else _inside(value) for value in values]
    logs = list(map(math.log1p, given))
    # a comparison with NaN is false: each is written so that what is not known stays NaN
    logs[0] = min(given[0], 1.0)
    missing = sum(map(operator.ne, given, given))
    la, ld, lt = given[_LA], given[_LD], given[_LT]
    if missing:
        # not known whether it is empty, unless something known says no
        empty = 0.0 if any(value > 0.0 for value in given[1:]) else NOT_KNOWN
    else:
        empty = 0.0 if any(given[1:]) else 1.0
    changed = la + ld
    if changed != changed and size is not None and size == size:  # noqa: PLR0124
        changed = min(max(size, 0.0), LARGEST)
    return [
        *logs,
        empty,
        *[logs[each] * logs[each] for each in _SQUARED],
        logs[_LA] * logs[_NF],
        logs[_LA] * logs[_LT],
        0.0 if lt > 0.0 else lt + 1.0,
        0.0 if la > 0.0 else la + 1.0,
        *[0.0 if logs[each] <= knot else logs[each] - knot for each, knot in _KNOTS],
        math.log1p(changed),
        math.log1p(la / (given[_ND] + 1.0)),
        logs[_NUC] - logs[_NDEV],
        missing / len(FEATURES),
    ]


def _inside(value: float | None) -> float:
    if value is None or value != value:  # noqa: PLR0124
        return NOT_KNOWN
    return 0.0 if value <= 0.0 else LARGEST
