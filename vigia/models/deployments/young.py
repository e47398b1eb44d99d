"""Scored deployments that are too young for their silence to say anything: counted, so that failures do not run ahead.

A failure is told within minutes, that nothing failed is known after the waiting time. Who learns each when it is known
has learned failures alone by then, and a team that tells nothing else would see its risk run away. So a failure waits
until its deployment is as old as the clean ones are when they are learned, unless it is news so early: more failures
were told than were to be expected of all deployments as young, though each of these might still fail. Where clean
outcomes are told too, nothing waits. Nor does it for recorded history, which brings both answers with it.
"""

import math

from vigia.events.base import HISTORY_ENVIRONMENT
from vigia.events.feedback import Label
from vigia.models.deployments.scoring import usual_of
from vigia.models.deployments.states import DeploymentState, ScopeState, Young

TOLD_BY_SILENCE: tuple[Label, ...] = ("intervention", "defect")
"""Kinds of which "clean" is what is left when nothing is told."""

MILLIONTHS = 1_000_000
"""Expected failures are counted in these: whole numbers, so what leaves takes out what it brought."""

NEWS = 2.0
"""Standard deviations by which failures must be more than expected to be news."""


def enter(scope: ScopeState, state: DeploymentState) -> None:
    """Count a deployment that was just scored, with what was said of it and the answers that waited for it."""
    if state.environment == HISTORY_ENVIRONMENT:
        return
    for label in TOLD_BY_SILENCE:
        said = state.said.get(label)
        state.young[label] = round(MILLIONTHS * (usual_of(scope, label).mean if said is None else said[1]))
        put_in(scope, state, label)


def put_in(scope: ScopeState, state: DeploymentState, label: Label) -> None:
    """Count a deployment, if it is young, by what is known of it."""
    _count(scope, state, label, 1)


def take_out(scope: ScopeState, state: DeploymentState, label: Label) -> None:
    """Count it no longer: something will be known of it, or it is young no more."""
    _count(scope, state, label, -1)


def leave(scope: ScopeState, state: DeploymentState, label: Label) -> None:
    """Take out a deployment of which silence now says something."""
    take_out(scope, state, label)
    state.young.pop(label, None)


def one_sided(scope: ScopeState, state: DeploymentState, label: Label) -> bool:
    """Return whether the deployment is young, and of those like it few are told clean: its failure is not typical."""
    counted = scope.young.get(label)
    return label in state.young and counted is not None and counted.clean < counted.unanswered


def waits(scope: ScopeState, state: DeploymentState, label: Label) -> bool:
    """Return whether the failure of this deployment is not to be learned yet; it is counted already."""
    if not one_sided(scope, state, label):
        return False
    counted = scope.young[label]
    surprise, expected = counted.surprise / MILLIONTHS, counted.expected / MILLIONTHS
    return surprise <= expected + NEWS * math.sqrt(expected)


def _count(scope: ScopeState, state: DeploymentState, label: Label, by: int) -> None:
    said = state.young.get(label)
    if said is None:
        return
    counted = scope.young.setdefault(label, Young())
    if label in state.failures:
        counted.failed += by
        counted.surprise += by * (MILLIONTHS - said)
    elif label in state.outcomes:
        counted.clean += by
    else:
        counted.unanswered += by
        counted.expected += by * said
