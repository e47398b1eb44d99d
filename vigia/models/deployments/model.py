"""The deployments model: reads the topics `deployments` and `feedback`, keyed by scope.

A deployment is scored once, at its first event, whatever stage that is; its features are kept as they were, and each
kind of outcome is learned once, and again only when its answer changes. What may surprise: an outcome that comes first
waits inside the state of a deployment that nothing else is known of yet, and a deployment that is told of under two
scopes is two deployments, each with its score, whether the scopes share a lane or not. So one that is sent under
another scope than its deployment waits there, and is learned by nobody. What follows from the runs that a deployment
names the model tells itself (`runs.py`), on the topics that it reads.
"""

from collections.abc import Iterable
from typing import TypeVar

from vigia.events.deployments import Deployment
from vigia.events.effects import Changes, States, Timer
from vigia.events.feedback import (
    AttributionCorrected,
    ChangeMerged,
    DecisionFeedback,
    IncidentOpened,
    IncidentResolved,
    Label,
    Outcome,
    PipelineRun,
)
from vigia.events.figures import DEPLOYMENTS_SCORED, OUTCOMES_LEARNED
from vigia.events.summaries import Summary
from vigia.models.deployments import incidents, own_decisions, progress, runs, scoring, states
from vigia.models.deployments.own_decisions import AI_DECISIONS
from vigia.models.deployments.states import (
    SCOPE,
    DeploymentState,
    IncidentState,
    RunState,
    ScopeState,
    State,
    deployment_key,
    incident_key,
    run_key,
)
from vigia.models.risk.features import raw_values

S = TypeVar("S", ScopeState, DeploymentState, IncidentState, RunState)
Kept = DeploymentState | IncidentState | RunState
Incident = IncidentOpened | IncidentResolved | AttributionCorrected
Run = PipelineRun | ChangeMerged
Told = Deployment | Outcome | Incident | Run | DecisionFeedback

FORGET = "forget"
"""The timer that deletes a deployment, an incident or what is known of a run; its key is the state's key."""

FORGET_AFTER = 180 * 86_400.0
"""Seconds of Kafka time after the last event: twice the 90 days after which a change without a finding counts as
clean."""


class DeploymentsModel:
    """Scores deployments and learns from their outcomes.

    `label` is the kind of failure that `Risk` predicts; None lets the evidence in the scope decide
    (`scoring.speaking`). `forget_after` is in seconds of the lane's clock. Every event names its scope: where the
    sender did not, the catalog has filled it in before.
    """

    name = "deployments"
    schema = states.SCHEMA

    def __init__(self, label: Label | None = None, forget_after: float = FORGET_AFTER) -> None:
        self._label = label
        self._forget_after = forget_after

    def keys(self, events: list[Told]) -> set[str]:
        return {key for event in events for key in _keys_of(event)}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (timer.key,)

    def record_key(self, state_key: str) -> str:
        return states.scope_in(state_key)

    def load(self, key: str, schema: int, body: bytes) -> State:
        return states.load(key, schema, body)

    def dump(self, key: str, state: State) -> bytes:  # noqa: ARG002 - the protocol's; a state knows what it is
        return states.dump(state)

    def apply(self, events: list[Told], times: list[float], states: States[State], changes: Changes) -> None:
        for event, time in zip(events, times, strict=True):
            if isinstance(event, Deployment):
                self._deployment(event, time, states, changes)
            elif isinstance(event, Outcome):
                self._outcome(event, time, states, changes)
            elif isinstance(event, PipelineRun | ChangeMerged):
                self._run(event, time, states, changes)
            elif isinstance(event, DecisionFeedback):
                changes.emit(AI_DECISIONS, event.agent, event)
            else:
                self._incident(event, time, states, changes)

    def fire(self, timer: Timer, clock: float, states: States[State], changes: Changes) -> None:  # noqa: ARG002
        """Forget what has been silent for long; its summary row stays. Outcomes after this wait, and are forgotten."""
        states.put(timer.key, None)

    def merge(self, row: Summary, partial: Summary) -> Summary:
        raise NotImplementedError(f"{self.name} writes whole rows, never corrections: {row!r}, {partial!r}")

    def _deployment(self, event: Deployment, time: float, states: States[State], changes: Changes) -> None:
        key, scope_key = deployment_key(event.scope, event.deployment_id), SCOPE + event.scope
        state = _get(states, key, DeploymentState) or DeploymentState(event.source, event.external_id)
        progress.advance(state, event)
        if state.risk is None:
            scope = _get(states, scope_key, ScopeState) or ScopeState()
            self._score(event, scope, state, changes)
            states.put(scope_key, scope)
        self._keep(key, state, time, states, changes)
        changes.write(progress.summary(event.deployment_id, state))
        # what failed in the run of a rollback is no failure of what it rolled back
        if event.kind == "deployment":
            for run in _run_keys(event.scope, event.runs):
                known = _get(states, run, RunState) or RunState()
                self._tell(runs.join(known, event), changes)
                self._keep(run, known, time, states, changes)

    def _score(self, event: Deployment, scope: ScopeState, state: DeploymentState, changes: Changes) -> None:
        state.raw, state.scored_at = raw_values(event), event.at
        risk = scoring.score(event.deployment_id, scope, state, scoring.speaking(scope, self._label))
        state.risk, state.model = risk.probability, f"{risk.model}/{risk.label}"
        scope.scored += 1
        changes.emit("risk", state.service, risk)
        changes.emit(AI_DECISIONS, own_decisions.AGENT, own_decisions.decision(risk))
        changes.count(DEPLOYMENTS_SCORED)
        state.outcomes, state.waiting = state.waiting, {}
        for label in state.outcomes:
            self._learn(event.deployment_id, scope, state, label, corrects=False, changes=changes)

    def _outcome(self, event: Outcome, time: float, states: States[State], changes: Changes) -> None:
        key, scope_key = deployment_key(event.scope, event.deployment_id), SCOPE + event.scope
        state = _get(states, key, DeploymentState) or DeploymentState(event.source, event.external_id)
        if state.risk is None:
            progress.settle(state.waiting, event)
            self._keep(key, state, time, states, changes)
            return
        known = event.label in state.outcomes
        if progress.settle(state.outcomes, event):
            scope = _get(states, scope_key, ScopeState) or ScopeState()
            self._learn(event.deployment_id, scope, state, event.label, corrects=known, changes=changes)
            states.put(scope_key, scope)
            changes.write(progress.summary(event.deployment_id, state))
        self._keep(key, state, time, states, changes)

    def _learn(
        self,
        deployment_id: str,
        scope: ScopeState,
        state: DeploymentState,
        label: Label,
        *,
        corrects: bool,
        changes: Changes,
    ) -> None:
        """Learn the answer that `state` holds of this kind of label, and let it judge the score."""
        scoring.learn(scope, state, label, failed=state.outcomes[label].failed, corrects=corrects)
        changes.count(OUTCOMES_LEARNED)
        for feedback in own_decisions.judge(deployment_id, state, label):
            changes.emit(AI_DECISIONS, own_decisions.AGENT, feedback)

    def _incident(self, event: Incident, time: float, states: States[State], changes: Changes) -> None:
        key = incident_key(event.scope, event.incident_id)
        state = _get(states, key, IncidentState) or IncidentState(event.source, event.external_id)
        incidents.advance(state, event)
        self._keep(key, state, time, states, changes)
        row = incidents.summary(event.incident_id, state)
        if row is not None:
            changes.write(row)

    def _run(self, event: Run, time: float, states: States[State], changes: Changes) -> None:
        for key in _run_keys(event.scope, event.names):
            state = _get(states, key, RunState) or RunState()
            follows = runs.finish(state, event) if isinstance(event, PipelineRun) else runs.merge(state, event)
            self._tell(follows, changes)
            self._keep(key, state, time, states, changes)

    def _tell(self, follows: Iterable[runs.Follows], changes: Changes) -> None:
        for event in follows:
            changes.emit("deployments" if isinstance(event, Deployment) else "feedback", event.scope, event)

    def _keep(self, key: str, state: Kept, time: float, states: States[State], changes: Changes) -> None:
        states.put(key, state)
        changes.set_timer(FORGET, key, time + self._forget_after)


def _keys_of(event: Told) -> tuple[str, ...]:
    if isinstance(event, Deployment | Outcome):
        own = SCOPE + event.scope, deployment_key(event.scope, event.deployment_id)
        return own if isinstance(event, Outcome) else (*own, *_run_keys(event.scope, event.runs))
    if isinstance(event, PipelineRun | ChangeMerged):
        return _run_keys(event.scope, event.names)
    return (incident_key(event.scope, event.incident_id),) if isinstance(event, Incident) else ()


def _run_keys(scope: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(run_key(scope, name) for name in names))


def _get(states: States[State], key: str, kind: type[S]) -> S | None:
    state = states.get(key)
    if state is not None and not isinstance(state, kind):
        raise TypeError(f"{key} holds a {type(state).__name__}, not a {kind.__name__}")
    return state
