"""What is said of a deployment: which model of its scope speaks, and all that goes into the risk record.

A scope has one model for each kind of label, because a model must say which kind of failure it predicts: mixing "needed
intervention", "CI failed" and "later found to have brought a defect" would predict none of them. Nothing that users
send is thrown away: every kind is learned by its own model. Unless the kind is configured, the model speaks of which
most of the rarer answer was told: that number, not the count of outcomes, bounds what a logistic regression can know
(events per variable, Peduzzi et al. 1996), and a kind of which only failures are ever reported stays silent.
"""

from functools import cache
from typing import get_args

from vigia.events.deployments import Deployment
from vigia.events.feedback import Label
from vigia.events.risk import Advice, Contribution, Risk, TrackRecord
from vigia.models.deployments.states import DeploymentState, ScopeState
from vigia.models.risk import bayes, context, prior, usual
from vigia.models.risk.advice import advise
from vigia.models.risk.catalog import POSITION
from vigia.models.risk.encoding import encode
from vigia.models.risk.explanation import explain
from vigia.models.risk.features import values_of
from vigia.models.risk.policy import Policy, gates
from vigia.models.risk.usual import ERROR_LEVEL, Usual

MODEL = "bayes-logistic-1"
"""Name and version of the method; a summary's `model` adds the kind of label after a slash."""

LABELS: tuple[Label, ...] = get_args(Label)
"""Kinds in the order in which they win ties: a new scope says `intervention`, DORA's meaning of a failed deployment."""


@cache
def untaught() -> bayes.State:
    """Return what every scope believes that has learned nothing; it is only read."""
    return bayes.new_state(prior.load())


def speaking(scope: ScopeState, configured: Label | None) -> Label:
    """Return the kind of label whose model scores this scope's deployments."""
    if configured is not None:
        return configured
    return max(LABELS, key=lambda label: (min(scope.told.get(label, (0, 0))), sum(scope.told.get(label, (0, 0)))))


def score(
    event: Deployment, at: float, scope: ScopeState, state: DeploymentState, label: Label, policy: Policy
) -> Risk:
    """Return what is said about a deployment at its first event, and keep in `state` what outcomes are learned with.

    The scope stays as it is; `seen` takes in what was said. `at` is the time (epoch seconds) from which its past is
    looked at.
    """
    state.authors = context.authors_of(event)
    state.values = values_of(event, context.seen(scope.context, event, at, state.authors))
    state.scored_at = event.at
    columns = encode(state.values)
    for kind, taught in scope.models.items():
        told = bayes.score(taught, columns)
        state.said[kind] = told.raw, told.probability
    model = scope.models.get(label) or untaught()
    said = bayes.score(model, columns)
    state.said[label] = said.raw, said.probability
    known = usual_of(scope, label)
    state.called = usual.called(known, said.probability) == "fail"
    state.label, state.risk, state.model = label, said.probability, f"{MODEL}/{label}"
    service = scope.context.services.get(event.service)
    record = TrackRecord()
    if service is not None and service.judged:
        base_rate = service.failures / service.judged
        record = TrackRecord(judged=service.judged, right=service.right / service.judged, base_rate=base_rate)
    migrates, flagged = (state.values[POSITION[name]] for name in ("schema_migration", "behind_flag"))
    return Risk(
        deployment_id=event.deployment_id,
        source=state.source,
        external_id=state.external_id,
        service=state.service,
        scope=state.scope,
        probability=said.probability,
        label=label,
        model=MODEL,
        learned_from=model.learned,
        at=state.scored_at,
        base_log_odds=said.base,
        environment=state.environment,
        deployed_version=state.version,
        interval=(said.low, said.high),
        decision=usual.decide(known, said.log_odds, model.failed, model.clean),
        usual=known.mean,
        error_level=ERROR_LEVEL,
        gates=gates(
            policy,
            service,
            event.environment,
            at,
            migrates=bool(migrates),
            flagged=bool(flagged),
            error_budget=event.error_budget,
        ),
        contributions=[
            Contribution(feature=push.feature, value=push.value, log_odds=push.log_odds, words=push.words)
            for push in explain(said, state.values)
            if push.log_odds
        ],
        advice=[
            Advice(feature=each.feature, words=each.words, probability=each.probability)
            for each in advise(model, state.values, said.probability)
        ],
        track_record=record,
    )


def usual_of(scope: ScopeState, label: Label) -> Usual:
    """Return what is usual in a scope by its model of this kind; in one that it has scored nothing of, a new one."""
    return scope.usual.get(label) or usual.new_usual(prior.load())


def seen(scope: ScopeState, label: Label, probability: float) -> None:
    """Take in what was said of a deployment, which then belongs to what is usual."""
    known = scope.usual[label] = usual_of(scope, label)
    usual.take(known, probability)
