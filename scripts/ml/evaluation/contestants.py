"""The models that are compared, each scoring commits in time order and learning from labels when they are known.

`vigia` is the Bayesian model, `blend` the simple baseline that it must beat: logistic regression (AdaGrad .05, online
oversampling) whose standardised log-odds are averaged with the standardised lines added. `la` sorts by lines
added; `clean` says that nothing is ever defective; `random_forest` and `hist_gradient_boosting` are the challengers.
Nothing is tuned on the file that is reported.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from scripts.ml.evaluation.challengers import Retrained
from scripts.ml.evaluation.playing import AtOnce, Contestant, Said
from scripts.ml.evaluation.project import Project
from scripts.ml.evaluation.stream import Stream
from vigia.models.risk import bayes, usual
from vigia.models.risk.basis import FEATURES, Vector
from vigia.models.risk.prior import load, seen_in
from vigia.models.risk.usual import ERROR_LEVEL


class Vigia(AtOnce):
    """The Bayesian model, from the prior that never saw the project, with what the stream knows of a scope's past."""

    probabilistic = True
    level: float | None = ERROR_LEVEL

    def __init__(self, project: Project) -> None:
        prior = load(without=seen_in(project.at))
        self._state = bayes.new_state(prior)
        self._usual = usual.new_usual(prior)
        self._stream = Stream(project)
        self._waiting: dict[int, tuple[Vector, float]] = {}
        self._lessons: dict[int, bayes.Lesson] = {}

    def score(self, number: int, _values: list[float | None]) -> Said:
        change = self._stream.columns(number)
        said = bayes.score(self._state, change)
        self._waiting[number] = change, said.raw
        answers = usual.decide(self._usual, said.log_odds, self._state.failed, self._state.clean)
        called = usual.called(self._usual, said.probability) == "fail"
        usual.take(self._usual, said.probability)
        return Said(said.probability, called, None if len(answers) > 1 else answers == ("ok",))

    def learn(self, number: int, *, defective: bool) -> None:
        change, raw = self._waiting[number]
        earlier = self._lessons.get(number)
        if defective:
            self._stream.failed()
        self._lessons[number] = bayes.learn(
            self._state, change, raw, failed=defective, earlier=earlier, in_time=bayes.IN_TIME
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


class Blend(AtOnce):
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


class LinesAdded(AtOnce):
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


class AlwaysClean(AtOnce):
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
    "random_forest": partial(Retrained, "random_forest"),
    "hist_gradient_boosting": partial(Retrained, "hist_gradient_boosting"),
    "blend": Blend,
    "la": LinesAdded,
    "clean": AlwaysClean,
}
