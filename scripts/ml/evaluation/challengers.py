"""The challengers in the comparison, trained again and again in the order of time, as retraining would.

It learns what is known at one moment and nothing later, and stays as it is until the next time: first when `FIRST`
commits are old enough, and again whenever there are a quarter more of them, or `EVERY` more if that is fewer. That
means as old as "clean" takes: of younger commits only the defective are known, and a model that is trained with those
learns to call defective what looks recent. Before the first time it says the share of defective commits among the
labels known.
"""

from collections.abc import Mapping

import numpy as np

from scripts.ml.evaluation.playing import Said
from scripts.ml.evaluation.project import WAITING_TIME, Project
from scripts.ml.evaluation.stream import Stream
from vigia.models.risk.basis import Vector
from vigia.models.risk.challengers import fitting

FIRST = 250
GROWTH = 1.25
EVERY = 1_000


class Retrained:
    """A challenger of one kind; it calls defective what is above the share of defective commits it was trained with."""

    probabilistic = True
    level: float | None = None

    def __init__(self, kind: fitting.Kind, project: Project) -> None:
        self._kind = kind
        self._stream = Stream(project)
        self._at = project.at
        self._old = 0
        self._columns: list[Vector] = []
        self._labels: dict[int, bool] = {}
        self._model: fitting.Challenger | None = None
        self._next = FIRST
        self._waiting: list[int] = []
        self._answers: dict[int, Said] = {}

    def score(self, number: int, _values: list[float | None]) -> Said | None:
        self._columns.append(self._stream.columns(number))
        if self._model is None:
            known = len(self._labels)
            return Said(sum(self._labels.values()) / known if known else 0.5, called=False)
        self._waiting.append(number)
        return None

    def learn(self, number: int, *, defective: bool) -> None:
        if defective:
            self._stream.failed()
        self._labels[number] = defective
        while self._at[self._old] <= self._at[len(self._columns) - 1] - WAITING_TIME:
            self._old += 1
        if self._old >= self._next:
            self._train()

    def put_off(self) -> Mapping[int, Said]:
        self._answer()
        return self._answers

    def _train(self) -> None:
        """Train anew; what was shown until now is answered by the model before."""
        self._answer()
        numbers = [number for number in range(self._old) if number in self._labels]
        failed = np.array([self._labels[number] for number in numbers])
        self._next = min(int(self._old * GROWTH), self._old + EVERY)
        if fitting.enough(failed):
            self._model = fitting.fit(self._kind, np.array([self._columns[number] for number in numbers]), failed)

    def _answer(self) -> None:
        if self._model is None or not self._waiting:
            return
        rows = np.array([self._columns[number] for number in self._waiting])
        border = self._model.base_rate
        for number, score in zip(self._waiting, fitting.probabilities(self._model, rows).tolist(), strict=True):
            self._answers[number] = Said(score, score > border)
        self._waiting = []
