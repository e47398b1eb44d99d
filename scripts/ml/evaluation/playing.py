"""How a model is played through a recorded project: commits in time order, labels when they become known."""

import heapq
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from scripts.ml.evaluation.project import WAITING_TIME, Project


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

    def score(self, number: int, values: list[float | None]) -> Said | None:
        """Say something of a commit from what is known now; None puts the answer off to `put_off`."""

    def learn(self, number: int, *, defective: bool) -> None:
        """Learn a label that has become known."""

    def put_off(self) -> Mapping[int, Said]:
        """Return the answers put off, once all commits were shown: of a batch model, which has many rows scored at
        once by what it was when each was shown.
        """


class AtOnce:
    """A model that answers at once."""

    def put_off(self) -> Mapping[int, Said]:
        """Return nothing: no answer was put off."""
        return {}


class Played(NamedTuple):
    """Everything that a model said, one entry a commit, and processor seconds for it."""

    score: NDArray[np.float64]
    called: NDArray[np.bool_]
    excluded: list[bool | None]
    seconds: float


def play(project: Project, contestant: Contestant) -> Played:
    """Score each commit, and teach each label when it becomes known, in the order of time."""
    waiting: list[tuple[float, int, bool]] = []
    answers: dict[int, Said] = {}
    began = time.process_time()
    for number, (at, found) in enumerate(zip(project.at, project.found, strict=True)):
        while waiting and waiting[0][0] <= at:
            _, which, defective = heapq.heappop(waiting)
            contestant.learn(which, defective=defective)
        answer = contestant.score(number, project.values[number])
        if answer is not None:
            answers[number] = answer
        for label in _labels(at, found):
            heapq.heappush(waiting, (label[0], number, label[1]))
    answers.update(contestant.put_off())
    seconds = time.process_time() - began
    said = [answers[number] for number in range(len(project.at))]
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
