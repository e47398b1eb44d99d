"""What a new scope believes before it has seen an outcome: the prior that all scopes share, made from other projects.

`prior.json` is written by `scripts/ml/fit_risk_prior.py` and never changed by hand. It has one prior from all recorded
projects, and one for each that leaves that project out, so that a project can be judged by a prior that never saw it.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from vigia.models.risk.basis import COLUMNS

FILE = Path(__file__).parent / "prior.json"

MARKS_NEEDED = 2


class Prior(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a scope starts. Lists have one entry a column, in the order of `COLUMNS`."""

    means: list[float]
    spreads: list[float]
    """Mean and standard deviation of a column, each the mean of those of the projects."""
    weights: list[float]
    """Log-odds a standard deviation."""
    intercept: float
    low: float
    """Log-odds below which a tenth of the defective changes lie: where the set {ok} ends."""
    high: float
    """Log-odds above which a tenth of the clean changes lie: where the set {fail} begins."""
    threshold: float
    """Log-odds that part the changes called failing from the others, where the G-mean is best."""


class _Priors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    columns: list[str]
    all: Prior
    without: dict[str, Prior]
    marks: dict[str, list[int]]
    """Of each project, commit times (epoch seconds) spread over it: by these its rows are known under any name."""


def load(without: str | None = None) -> Prior:
    """Return the prior from all projects, or the one that never saw the project `without` (the prior from all if the
    project is none of them).
    """
    priors = _priors()
    return priors.all if without is None else priors.without.get(without, priors.all)


def seen_in(times: Iterable[float]) -> str | None:
    """Return the project of the prior that has commits at these times (epoch seconds), so was made from them.

    Two marks must be met: one may be by chance (one file of 20,000 commits in a hundred).
    """
    given = set(times)
    met = {name: len(given.intersection(marks)) for name, marks in _priors().marks.items()}
    name = max(met, key=lambda each: met[each])
    return name if met[name] >= MARKS_NEEDED else None


def projects() -> frozenset[str]:
    """Return the names of the projects that the prior is made from."""
    return frozenset(_priors().without)


@cache
def _priors() -> _Priors:
    return decode(FILE.read_bytes())


def decode(body: bytes) -> _Priors:
    """Return the priors from the text of their file; raises ValueError when they are not for these columns."""
    try:
        priors = msgspec.json.decode(body, type=_Priors)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{FILE.name} is no prior: {error}; write it with scripts/ml/fit_risk_prior.py") from error
    if priors.columns != [column.name for column in COLUMNS]:
        raise ValueError(f"{FILE.name} is for other columns; write it anew with scripts/ml/fit_risk_prior.py")
    for each in (priors.all, *priors.without.values()):
        if not len(each.means) == len(each.spreads) == len(each.weights) == len(COLUMNS):
            raise ValueError(f"{FILE.name} has lists of another length than its columns")
    return priors
