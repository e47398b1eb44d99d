"""The models that are compared, each scoring commits in time order and learning from labels when they are known.

`vigia` is the Bayesian model, `blend` the simple baseline that it must beat: logistic regression (AdaGrad .05, online
oversampling) whose standardised log-odds are averaged with the standardised lines added. `la` sorts by lines
added; `clean` says that nothing is ever defective. Nothing is tuned on the file that is reported.
"""

import heapq
import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from scripts.ml.evaluation.project import WAITING_TIME, Project
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.models.risk import bayes, context
from vigia.models.risk.basis import FEATURES, Vector
from vigia.models.risk.decision import ERROR_LEVEL
from vigia.models.risk.encoding import encode
from vigia.models.risk.features import values_of
from vigia.models.risk.prior import load, seen_in


class Said(NamedTuple):
    """What a model says of a commit; `excluded` is the answer that its decision set leaves out, if it has sets."""

    score: float
    called: bool
    excluded: bool | None = None


class Contestant(Protocol):
    """A model that is played through a project; commits are known by their position."""

    probabilistic: bool
    """Scores are probabilities."""
    level: float | None
    """Stated error of the decision sets; None without sets."""

    def score(self, number: int, values: list[float | None]) -> Said: ...

    def learn(self, number: int, *, defective: bool) -> None: ...


class Played(NamedTuple):
    """Everything that a model said, one entry a commit, and processor seconds for it."""

    score: NDArray[np.float64]
    called: NDArray[np.bool_]
    excluded: list[bool | None]
    seconds: float


def play(project: Project, contestant: Contestant) -> Played:
    """Score each commit, and teach each label when it becomes known, in the order of time."""
    waiting: list[tuple[float, int, bool]] = []
    said = []
    began = time.process_time()
    for number, (at, found) in enumerate(zip(project.at, project.found, strict=True)):
        while waiting and waiting[0][0] <= at:
            _, which, defective = heapq.heappop(waiting)
            contestant.learn(which, defective=defective)
        said.append(contestant.score(number, project.values[number]))
        for label in _labels(at, found):
            heapq.heappush(waiting, (label[0], number, label[1]))
    seconds = time.process_time() - began
    return Played(
        np.array([each.score for each in said]),
        np.array([each.called for each in said]),
        [each.excluded for each in said],
        seconds,
    )


def _labels(at: float, found: float | None) -> Iterator[tuple[float, bool]]:
    if found is None or found > at + WAITING_TIME:
        yield at + WAITING_TIME, False
    if found is not None:
        yield found, True


class Vigia:
    """The Bayesian model, from the prior that never saw the project, with what the stream knows of a scope's past.

    Each commit is a deployment of one service. Authors, incidents and what else the recorded projects lack stay
    unknown.
    """

    probabilistic = True
    level: float | None = ERROR_LEVEL

    def __init__(self, project: Project) -> None:
        self._state = bayes.new_state(load(without=seen_in(project.at)))
        rows = zip(project.at, project.values, strict=True)
        self._events = [_deployment(number, *row) for number, row in enumerate(rows)]
        self._past = context.Context()
        self._waiting: dict[int, tuple[Vector, float]] = {}
        self._lessons: dict[int, bayes.Lesson] = {}
        self._now = 0.0

    def score(self, number: int, _values: list[float | None]) -> Said:
        event = self._events[number]
        self._now = event.at
        change = encode(values_of(event, context.seen(self._past, event, self._now, ())))
        context.deployed(self._past, event.service, self._now, ())
        said = bayes.score(self._state, change)
        self._waiting[number] = change, said.raw
        excluded = None if len(said.answers) > 1 else said.answers == ("ok",)
        return Said(said.probability, said.called == "fail", excluded)

    def learn(self, number: int, *, defective: bool) -> None:
        change, raw = self._waiting[number]
        earlier = self._lessons.get(number)
        if defective:
            context.failed(self._past, SERVICE, self._now, ())
        self._lessons[number] = bayes.learn(self._state, change, raw, failed=defective, earlier=earlier)


SERVICE = "recorded"


def _deployment(number: int, at: float, values: list[float | None]) -> Deployment:
    known = {name: value if value is None else max(value, 0.0) for name, value in zip(FEATURES, values, strict=True)}
    return Deployment(
        source=SERVICE,
        external_id=str(number),
        service=SERVICE,
        stage="finished",
        status="succeeded",
        at=at,
        features=ChangeFeatures(**known),
    )


class _Scale:
    """Running mean and spread of a number."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def learn(self, value: float) -> None:
        self._count += 1
        away = value - self._mean
        self._mean += away / self._count
        self._squares += away * (value - self._mean)

    def standard(self, value: float) -> float:
        spread = math.sqrt(self._squares / self._count) if self._count else 0.0
        return (value - self._mean) / spread if spread > 0.0 else 0.0


class Blend:
    """The baseline of the field notes: called defective above one half, since it learns as if half were defective."""

    probabilistic = True
    level: float | None = None

    def __init__(self, _project: Project) -> None:
        size = len(FEATURES)
        self._weights, self._squares, self._intercept = np.zeros(size), np.zeros(size), 0.0
        self._count, self._centre, self._spread = 0, np.zeros(size), np.zeros(size)
        self._rate = 0.5
        self._own, self._added = _Scale(), _Scale()
        self._waiting: dict[int, Vector] = {}

    def score(self, number: int, values: list[float | None]) -> Said:
        change = np.log1p(np.array([max(value or 0.0, 0.0) for value in values]))
        self._waiting[number] = change
        self._count += 1
        away = change - self._centre
        self._centre = self._centre + away / self._count
        self._spread = self._spread + away * (change - self._centre)
        own = float(self._weights @ self._scaled(change)) + self._intercept
        added = float(change[FEATURES.index("la")])
        self._own.learn(own)
        self._added.learn(added)
        log_odds = (self._own.standard(own) + self._added.standard(added)) / 2.0
        return Said(1.0 / (1.0 + math.exp(-log_odds)), log_odds > 0.0)

    def learn(self, number: int, *, defective: bool) -> None:
        change = self._scaled(self._waiting[number])
        self._rate += 0.01 * (defective - self._rate)
        share = min(max(self._rate, 0.02), 0.98)
        weight = 0.5 / (share if defective else 1.0 - share)
        log_odds = float(self._weights @ change) + self._intercept
        surprise = weight * (1.0 / (1.0 + math.exp(-min(max(log_odds, -30.0), 30.0))) - defective)
        slope = surprise * change
        self._squares = self._squares + slope * slope
        self._weights = self._weights - 0.05 * slope / np.sqrt(self._squares + 1e-8)
        self._intercept -= 0.01 * surprise

    def _scaled(self, change: Vector) -> Vector:
        return (change - self._centre) / np.sqrt(self._spread / self._count + 1e-9)


class LinesAdded:
    """Sorting by lines added; called defective above the mean of log lines added so far."""

    probabilistic = False
    level: float | None = None

    def __init__(self, _project: Project) -> None:
        self._scale = _Scale()

    def score(self, _number: int, values: list[float | None]) -> Said:
        added = math.log1p(max(values[FEATURES.index("la")] or 0.0, 0.0))
        self._scale.learn(added)
        return Said(added, self._scale.standard(added) > 0.0)

    def learn(self, _number: int, *, defective: bool) -> None:
        """There is nothing to learn."""


class AlwaysClean:
    """No commit is ever defective."""

    probabilistic = True
    level: float | None = None

    def __init__(self, _project: Project) -> None:
        """Need nothing of the project."""

    def score(self, _number: int, _values: list[float | None]) -> Said:
        return Said(0.0, called=False)

    def learn(self, _number: int, *, defective: bool) -> None:
        """There is nothing to learn."""


CONTESTANTS: dict[str, Callable[[Project], Contestant]] = {
    "vigia": Vigia,
    "blend": Blend,
    "la": LinesAdded,
    "clean": AlwaysClean,
}
