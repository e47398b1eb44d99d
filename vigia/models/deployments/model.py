"""The deployments model: reads the topics `deployments` and `feedback`, keyed by scope.

A deployment is scored once, at its first event, whatever stage that is; its features are kept as they were, and each
kind of outcome is learned once, and again only when a failure is found after "clean" (`learning.py`). What may
surprise: an outcome that comes first waits inside the state of a deployment that nothing else is known of yet, and a
deployment that is told of under two scopes is two deployments, each with its score, whether the scopes share a lane or
not. So one that is sent under another scope than its deployment waits there, and is learned by nobody. What follows
from the runs that a deployment names the model tells itself (`runs.py`), on the topics that it reads.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from vigia.events.deployed import DEPLOYED
from vigia.events.deployments import Deployment
from vigia.events.drift import Drift
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
from vigia.events.figures import DEPLOYMENTS_SCORED, DRIFT_ALARMS, OUTCOMES_LEARNED, OUTCOMES_WAITING
from vigia.events.summaries import Summary
from vigia.models import contradictions
from vigia.models.deployments import (
    deliveries,
    ends,
    incidents,
    learning,
    own_decisions,
    progress,
    runs,
    scoring,
    states,
    young,
)
from vigia.models.deployments.own_decisions import AI_DECISIONS
from vigia.models.deployments.states import (
    SCOPE,
    Answer,
    DeploymentState,
    IncidentState,
    RunState,
    ScopeState,
    State,
    deployment_id_in,
    deployment_key,
    incident_key,
    run_key,
    scope_in,
    silence_in,
    silence_key,
)
from vigia.models.risk import context
from vigia.models.risk.policy import Policy

S = TypeVar("S", ScopeState, DeploymentState, IncidentState, RunState)
Kept = DeploymentState | IncidentState | RunState
Incident = IncidentOpened | IncidentResolved | AttributionCorrected
Run = PipelineRun | ChangeMerged
Told = Deployment | Outcome | Incident | Run | DecisionFeedback

FORGET = "forget"
"""The timer that deletes a deployment, an incident or what is known of a run; its key is the state's key."""

CLEAN = "clean"
"""The timer at which a deployment without a known failure is learned as clean. Its key is the deployment's, and then it
is for all kinds of label, as in the release before; one for a kind with a shorter waiting time has a key of its own."""

WAITING_TIMES: Mapping[Label, float] = MappingProxyType({"intervention": 7 * 86_400.0, "defect": 90 * 86_400.0})
"""Seconds of Kafka time from the score to that. Who must intervene knows it within days; 90 days are those of the ORB
protocol (Cabral et al., ICSE 2019)."""

FORGET_AFTER = 180 * 86_400.0
"""Seconds of Kafka time after the last event: twice the 90 days after which a change without a finding counts as
clean."""


class DeploymentsModel:
    """Scores deployments and learns from their outcomes.

    `label` is the kind of failure that `Risk` predicts; None lets the evidence in the scope decide
    (`scoring.speaking`). `forget_after` and `waiting_times` are in seconds of the lane's clock. Every event names its
    scope: where the sender did not, the catalog has filled it in before. `policy` makes gates, which are in the risk
    record alone: states and tables are the same under any policy.
    """

    name = "deployments"
    schema = states.SCHEMA

    def __init__(
        self,
        label: Label | None = None,
        forget_after: float = FORGET_AFTER,
        waiting_times: Mapping[Label, float] = WAITING_TIMES,
        policy: Policy | None = None,
    ) -> None:
        self._label = label
        self._forget_after = forget_after
        self._waiting_times = waiting_times
        self._policy = policy or Policy()

    def keys(self, events: list[Told]) -> set[str]:
        return {key for event in events for key in _keys_of(event)}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (silence_in(timer.key)[0], SCOPE + scope_in(timer.key)) if timer.kind == CLEAN else (timer.key,)

    def record_key(self, state_key: str) -> str:
        return scope_in(state_key)

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

    def services_of(self, event: Told, states: States[State]) -> set[str]:
        """Return the services that are known to be concerned by an event, whatever service it names itself."""
        found = set()
        for key in _keys_of(event):
            state = states.get(key)
            if isinstance(state, RunState):
                found |= {service for _source, _external_id, service, _environment in state.deployments}
            elif isinstance(state, DeploymentState | IncidentState) and state.service:
                found.add(state.service)
        return found

    def fire(self, timer: Timer, clock: float, states: States[State], changes: Changes) -> None:  # noqa: ARG002
        """Learn what silence says of a deployment, and failures that waited for it; or forget what was silent for long.

        The summary row of what is forgotten stays; outcomes after this wait, and are forgotten.
        """
        if timer.kind == FORGET:
            states.put(timer.key, None)
            return
        (key, only), scope_key = silence_in(timer.key), SCOPE + scope_in(timer.key)
        state, scope = _get(states, key, DeploymentState), _get(states, scope_key, ScopeState)
        if state is None or scope is None:
            return
        for label in young.TOLD_BY_SILENCE:
            if only not in ("", label):
                continue
            clean = learning.by_silence(scope, state, label)
            young.leave(scope, state, label)
            if clean or label in state.failures:
                self._learn(scope, state, label, timer.due, changes, failed=not clean)
            if clean:
                silence = Answer(failed=False, since=timer.due, said=timer.due)
                self._judge(deployment_id_in(key), state, label, silence, changes)
        states.put(scope_key, scope)
        states.put(key, state)

    def merge(self, row: Summary, partial: Summary) -> Summary:
        return deliveries.merge(row, partial)

    def _deployment(self, event: Deployment, time: float, states: States[State], changes: Changes) -> None:
        key, scope_key = deployment_key(event.scope, event.deployment_id), SCOPE + event.scope
        state = _get(states, key, DeploymentState) or DeploymentState(event.source, event.external_id)
        ended = ends.of(state)
        progress.advance(state, event)
        scope = _get(states, scope_key, ScopeState) or ScopeState()
        if state.risk is None:
            self._score(event, time, scope, state, changes)
            longest = max(self._waiting_times.values())
            changes.set_timer(CLEAN, key, time + longest)
            for label, wait in self._waiting_times.items():
                if wait < longest:
                    changes.set_timer(CLEAN, silence_key(label, key), time + wait)
        since = state.started_at if state.stage == "started" else None
        context.flies(scope.context, event.service, event.deployment_id, since)
        states.put(scope_key, scope)
        self._keep(key, state, time, states, changes)
        deliveries.write(event, state, changes)
        changes.write(progress.summary(event.deployment_id, state))
        end = ends.of(state)
        if end is not None and end != ended:
            changes.emit(DEPLOYED, end.service, end)
        # what failed in the run of a rollback is no failure of what it rolled back
        if event.kind == "deployment":
            for run in _run_keys(event.scope, event.runs):
                known = _get(states, run, RunState) or RunState()
                self._tell(runs.join(known, event), changes)
                self._keep(run, known, time, states, changes)

    def _score(
        self, event: Deployment, time: float, scope: ScopeState, state: DeploymentState, changes: Changes
    ) -> None:
        # a deployment that says it is from the future must not make the past of its scope fade
        at = min(event.at, time)
        risk = scoring.score(event, at, scope, state, scoring.speaking(scope, self._label), self._policy)
        scope.scored += 1
        scoring.seen(scope, risk.label, risk.probability)
        changes.emit("risk", state.service, risk)
        changes.emit(AI_DECISIONS, own_decisions.AGENT, own_decisions.decision(risk))
        changes.count(DEPLOYMENTS_SCORED)
        for alarm in learning.watch_inputs(scope, state):
            self._alarm(alarm, changes)
        context.deployed(scope.context, event.service, at, state.authors)
        state.outcomes, state.waiting = state.waiting, {}
        young.enter(scope, state)
        for label, answer in state.outcomes.items():
            since = min(state.failures.get(label, answer.since), time)
            self._learn(scope, state, label, since, changes, failed=label in state.failures)
            self._judge(event.deployment_id, state, label, answer, changes)

    def _learn(
        self, scope: ScopeState, state: DeploymentState, label: Label, at: float, changes: Changes, *, failed: bool
    ) -> None:
        before = state.lessons.get(label)
        alarm = learning.learn(scope, state, label, at, failed=failed)
        if state.lessons.get(label) != before:
            changes.count(OUTCOMES_LEARNED)
        if alarm is not None:
            self._alarm(alarm, changes)

    def _judge(
        self, deployment_id: str, state: DeploymentState, label: Label, answer: Answer, changes: Changes
    ) -> None:
        for feedback in own_decisions.judge(deployment_id, state, label, answer):
            changes.emit(AI_DECISIONS, own_decisions.AGENT, feedback)

    def _alarm(self, alarm: Drift, changes: Changes) -> None:
        changes.emit("drift", alarm.scope, alarm)
        changes.count(DRIFT_ALARMS)

    def _outcome(self, event: Outcome, time: float, states: States[State], changes: Changes) -> None:
        key, scope_key = deployment_key(event.scope, event.deployment_id), SCOPE + event.scope
        state = _get(states, key, DeploymentState) or DeploymentState(event.source, event.external_id)
        answers = state.waiting if state.risk is None else state.outcomes
        held = answers.get(event.label)
        scope = _get(states, scope_key, ScopeState) or ScopeState()
        young.take_out(scope, state, event.label)
        changed, news = progress.settle(answers, event), progress.fails(state, event)
        young.put_in(scope, state, event.label)
        if held is not None and held.failed != event.failed:
            before = contradictions.Before(held.sender, progress.word(held.failed), held.said)
            stands = progress.word(answers[event.label].failed)
            contradictions.note(event, before, stands, state.service or event.service, time, changes)
        if state.risk is None:
            changes.count(OUTCOMES_WAITING)
        else:
            if news or held is None:
                since = min(state.failures.get(event.label, answers[event.label].since), time)
                self._learn(scope, state, event.label, since, changes, failed=event.failed)
                states.put(scope_key, scope)
            if changed:
                if held is None or held.failed != event.failed:
                    self._judge(event.deployment_id, state, event.label, answers[event.label], changes)
                changes.write(progress.summary(event.deployment_id, state))
                deliveries.write(event, state, changes)
        self._keep(key, state, time, states, changes)

    def _incident(self, event: Incident, time: float, states: States[State], changes: Changes) -> None:
        key = incident_key(event.scope, event.incident_id)
        state = _get(states, key, IncidentState) or IncidentState(event.source, event.external_id)
        incidents.advance(state, event)
        self._keep(key, state, time, states, changes)
        row = incidents.summary(event.incident_id, state)
        if row is not None:
            changes.write(row)
            scope_key = SCOPE + event.scope
            scope = _get(states, scope_key, ScopeState) or ScopeState()
            context.put_incident(scope.context, row)
            states.put(scope_key, scope)
        deliveries.write_statements(event, changes)

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
    return (SCOPE + event.scope, incident_key(event.scope, event.incident_id)) if isinstance(event, Incident) else ()


def _run_keys(scope: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(run_key(scope, name) for name in names))


def _get(states: States[State], key: str, kind: type[S]) -> S | None:
    state = states.get(key)
    if state is not None and not isinstance(state, kind):
        raise TypeError(f"{key} holds a {type(state).__name__}, not a {kind.__name__}")
    return state
