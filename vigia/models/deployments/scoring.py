"""Which model of a scope speaks, what it says of a deployment, and how it learns.

A scope has one model for each kind of label, because a model must say which kind of failure it predicts: mixing "needed
intervention", "CI failed" and "later found to have brought a defect" would predict none of them. Nothing that users
send is thrown away: every kind is learned by its own model. Unless the kind is configured, the model speaks that has
seen most of its rarer answer: that number, not the count of outcomes, bounds what a logistic regression can know
(events per variable, Peduzzi et al. 1996), and a kind of which only failures are ever reported stays silent.
"""

from typing import get_args

from vigia.events.feedback import Label
from vigia.events.risk import Contribution, Risk
from vigia.models.deployments.states import DeploymentState, ScopeState
from vigia.models.risk import online
from vigia.models.risk.features import columns, value_of

MODEL = "online-logistic-1"
"""Name and version of the method; a summary's `model` adds the kind of label after a slash."""

LABELS: tuple[Label, ...] = get_args(Label)
"""Kinds in the order in which they win ties: a new scope says `intervention`, DORA's meaning of a failed deployment."""


def speaking(scope: ScopeState, configured: Label | None) -> Label:
    """Return the kind of label whose model scores this scope's deployments."""
    if configured is not None:
        return configured
    return max(LABELS, key=lambda label: _evidence(scope.models.get(label)))


def score(deployment_id: str, scope: ScopeState, state: DeploymentState, label: Label) -> Risk:
    """Return what is said about a deployment, from its features in `state`; the scope's models stay as they are."""
    model = scope.models.get(label) or online.new_state()
    encoded = columns(state.raw, state.scored_at)
    said = online.score(model, encoded)
    pushes = [
        Contribution(feature=name, value=value_of(name, state.raw, encoded), log_odds=push)
        for name, push in said.contributions.items()
        if push
    ]
    return Risk(
        deployment_id=deployment_id,
        source=state.source,
        external_id=state.external_id,
        service=state.service,
        scope=state.scope,
        probability=said.probability,
        label=label,
        model=MODEL,
        learned_from=model.learned,
        at=state.scored_at,
        base_log_odds=said.base_log_odds,
        environment=state.environment,
        deployed_version=state.version,
        contributions=sorted(pushes, key=lambda each: -abs(each.log_odds)),
    )


def learn(scope: ScopeState, state: DeploymentState, label: Label, *, failed: bool, corrects: bool) -> None:
    """Let the scope's model of this kind of label learn what came of a scored deployment."""
    model = scope.models.get(label)
    if model is None:
        model = scope.models[label] = online.new_state()
    online.learn(model, columns(state.raw, state.scored_at), failed=failed, corrects=corrects)


def _evidence(model: online.RiskState | None) -> tuple[int, int]:
    return (min(model.failed, model.clean), model.learned) if model is not None else (0, 0)
