"""What a state keeps of a scored deployment, as an example to train with and to judge by: features, scores, outcome.

The features are those of the moment in which the online model scored it, and so is what that model said. An answer is
one from the moment on at which it became known: what is asked for an earlier one does not see it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from vigia.events.feedback import Label
from vigia.models.deployments.states import DeploymentState
from vigia.models.deployments.young import TOLD_BY_SILENCE
from vigia.models.risk.features import Values


class Example(NamedTuple):
    """A scored deployment, judged by one kind of label. Times are event times, in epoch seconds."""

    scored_at: float
    values: Values
    online: float | None
    """The probability that the online model of this kind had given; None when there was no such model yet."""
    failed: bool | None
    """What came of it; None while not known."""
    known_at: float
    """Since when that is known: infinite while it is not."""
    clean_at: float
    """When it counted as clean, had no failure become known by then; infinite where silence says nothing."""

    def known(self, cut: float) -> bool | None:
        """Return whether it had failed as far as was known at `cut`; None when nothing was known."""
        if self.known_at <= cut:
            return self.failed
        # a failure that was found late was taken for clean until then
        return False if self.failed and self.clean_at <= cut else None


NEVER = float("inf")


def example(state: DeploymentState, label: Label, waiting_times: Mapping[Label, float]) -> Example | None:
    """Return what a state says, judged by `label`; None for a deployment that was not scored.

    `waiting_times` are for how many seconds a deployment must be silent to count as clean. A failure stands, whatever
    is said after it: it is known, at the latest, since the latest answer.
    """
    if state.risk is None:
        return None
    said = state.said.get(label)
    clean_at = state.scored_at + waiting_times[label] if label in TOLD_BY_SILENCE else NEVER
    lesson, answer = state.lessons.get(label), state.outcomes.get(label)
    failed: bool | None = None
    known_at = NEVER
    if lesson is not None or label in state.failures:
        # a failure may be told and wait to be learned
        failed = lesson is None or lesson.target == 1.0
        known_at = max(answer.since, state.scored_at) if answer is not None else clean_at
    return Example(state.scored_at, state.values, None if said is None else said[1], failed, known_at, clean_at)
