"""Constants of the risk model chosen on some projects and judged on one that had no say: how much choosing flatters.

The model has its constants at the top of its modules. `in_force` puts another value there while a project is played,
and the old one back: this process is then not a worker, and nothing else plays in it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

import numpy as np

from scripts.ml.evaluation.contestants import Vigia
from scripts.ml.evaluation.figures import Figures, figures
from scripts.ml.evaluation.playing import AtOnce, Said, play
from scripts.ml.evaluation.project import Project
from scripts.ml.evaluation.stream import Stream
from vigia.models.risk import bayes, usual
from vigia.models.risk.basis import Vector
from vigia.models.risk.catalog import OF_THE_PAST
from vigia.models.risk.encoding import OTHER_COLUMNS

CRITERIA = ("brier", "roc_auc")
"""What constants of a score are chosen by. In the Brier score both the order of scores and their calibration count, in
the other the order alone.
"""


class Tried(NamedTuple):
    """A constant: where it is, what is tried beside its own value, and the figure it is chosen by, None for one of
    `CRITERIA`.
    """

    module: ModuleType
    values: tuple[float, ...]
    figure: str | None = None


GRID = {
    "WEIGHT_SPREAD": Tried(bayes, (0.05, 0.07, 0.14, 0.2)),
    "INTERCEPT_SPREAD": Tried(bayes, (0.01, 0.1)),
    "PRIOR_CHANGES": Tried(bayes, (300.0, 3_000.0)),
    "PAST_SPREAD": Tried(bayes, (0.0025, 0.01, 0.03)),
    "SLOPE_SPREAD": Tried(bayes, (0.01, 0.1)),
    "SHIFT_STEP": Tried(bayes, (0.001, 0.0025, 0.01, 0.02)),
    "IN_TIME": Tried(bayes, (0.3, 0.4, 0.6, 0.8)),
    "LATE": Tried(bayes, (0.0, 0.1, 0.2)),
    "STEP": Tried(usual, (0.03, 0.3), "set_error"),
    "MEMORY": Tried(usual, (100.0, 300.0, 1_000.0), "g_mean_time_avg"),
}

_BADNESS: dict[str, Callable[[float], float]] = {
    "brier": lambda value: value,
    "roc_auc": lambda value: -value,
    "g_mean_time_avg": lambda value: -value,
    "set_error": lambda value: abs(value - usual.ERROR_LEVEL),
}

_PAST = np.array([column.name in OF_THE_PAST for column in OTHER_COLUMNS])


class _Columns(AtOnce):
    """Says nothing, and notes the columns of each commit: no constant changes them, and making them takes half the time
    of a play.
    """

    probabilistic = False
    level: float | None = None

    def __init__(self, project: Project) -> None:
        self._stream = Stream(project)
        self.noted: list[Vector] = []

    def score(self, number: int, _values: list[float | None]) -> Said:
        self.noted.append(self._stream.columns(number))
        return Said(0.0, called=False)

    def learn(self, _number: int, *, defective: bool) -> None:
        if defective:
            self._stream.failed()


class _Noted(Stream):
    """Columns that were noted before."""

    def __init__(self, noted: Sequence[Vector]) -> None:
        self._noted = noted

    def columns(self, number: int) -> Vector:
        return self._noted[number]

    def failed(self) -> None:
        """Is in the columns."""


class _Vigia(Vigia):
    """The model with the constants as they are now; two of them it has used already when it is imported."""

    def __init__(self, project: Project, noted: Sequence[Vector]) -> None:
        super().__init__(project)
        self._stream = _Noted(noted)
        self._state.variances[_PAST] = bayes.PAST_SPREAD**2
        self._state.slope_variance = bayes.SLOPE_SPREAD**2


class Case(NamedTuple):
    """A project with its columns."""

    project: Project
    noted: list[Vector]


def case(project: Project) -> Case:
    """Make the columns of a project."""
    columns = _Columns(project)
    play(project, columns)
    return Case(project, columns.noted)


def own(name: str) -> float:
    """Return the value that a constant has."""
    return float(getattr(GRID[name].module, name))


@contextmanager
def in_force(chosen: Mapping[str, float]) -> Iterator[None]:
    """Let constants have other values meanwhile."""
    before = {name: own(name) for name in chosen}
    try:
        for name, value in chosen.items():
            setattr(GRID[name].module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(GRID[name].module, name, value)


def played(given: Case, chosen: Mapping[str, float]) -> Figures:
    """Return the figures of the model on a project, with these constants instead of its own."""
    project = given.project
    with in_force(chosen):
        model = _Vigia(project, given.noted)
        return figures(play(project, model), project.defective, np.ones(len(project.at), dtype=bool), model)


def choose(name: str, criterion: str, measured: Mapping[float, Mapping[str, Figures]], without: str) -> float:
    """Return the value of a constant that is best on average over the projects but one; its own, if none is better.

    `measured` are figures of projects by the constant's value.
    """
    figure = GRID[name].figure or criterion

    def badness(value: float) -> float:
        found = [each[figure] for project, each in measured[value].items() if project != without]
        known = [_BADNESS[figure](each) for each in found if each is not None]
        return float(np.mean(known)) if known else np.inf

    return min((own(name), *GRID[name].values), key=badness)
