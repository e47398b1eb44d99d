"""The model of the remediation agent: problems in, proposals out. One state a problem.

Proposals live in Kafka time: what counts for the people asked is when they could have seen the proposal, not when the
window that showed the problem ended. Verdicts are recorded and
judge the proposal as the decision that it is; nothing acts on them yet, but what was answered is not offered again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vigia.events.dependencies import Dependencies
from vigia.events.deployed import Deployed
from vigia.events.effects import Changes, States, Timer
from vigia.events.figures import PROPOSALS_MADE
from vigia.events.identity import derive_id
from vigia.events.problem_links import PROBLEM_LINKS, DependentProblem, ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.remediation import ExecutionResult, Proposal, ProposalStatus, Verdict
from vigia.events.summaries import ProposalSummary, Summary, VerdictSummary
from vigia.models.detectors.mutes import Mute
from vigia.models.detectors.shared_dependency import SharedDependency
from vigia.models.remediation import deployments, offers, own_decisions, state
from vigia.models.remediation.actions import ACTIONS, Action
from vigia.models.remediation.deployments import DeployedState
from vigia.models.remediation.grouping import Grouping, link
from vigia.models.remediation.offers import OffersState
from vigia.models.remediation.own_decisions import AI_DECISIONS
from vigia.models.remediation.shared import SharedState
from vigia.models.remediation.state import (
    ProblemState,
    RemediationState,
    deployed_key,
    key_of,
    offers_key,
    service_in,
    shared_key,
)

APPROVALS = "approvals"
"""The topic that proposals are published on."""

EXPIRY = "expiry"
"""Kind of the timers by which proposals lapse; their key is that of the problem's state."""

FORGET = "forget"
"""Kind of the timers by which the deployments of a service are forgotten; their key is that of their state."""

FORGET_AFTER = 180 * 86_400.0
"""Seconds of Kafka time after the last deployment, as long as the deployments agent remembers one."""

RemediationEvent = Problem | DependentProblem | ProblemGrouped | Deployed | Verdict | ExecutionResult


@dataclass(frozen=True)
class RemediationConfig:
    """How long a proposal waits for a verdict, in seconds of Kafka time, which action it offers, and which problems may
    have one cause, but for what is muted.
    """

    proposal_expiry: float = 3_600.0
    actions: dict[str, Action] = field(default_factory=lambda: dict(ACTIONS))
    dependencies: Dependencies = field(default_factory=Dependencies)
    shared_dependency: SharedDependency = field(default_factory=SharedDependency)
    mutes: tuple[Mute, ...] = ()


class RemediationModel:
    """Makes one proposal for each open problem, and withdraws it when the problem is resolved before a verdict.

    Versions that come late or twice are ignored: no proposal is made for a problem that is known to be resolved. A
    stale problem gets no proposal. A proposal without a verdict lapses as `expired`, which is not a denial. One for a
    problem that is taken for a consequence of another one is withdrawn, and made again when it no longer is, unless a
    person has answered it. A proposal names the deployment before its problem as it was known at first.
    """

    name = "remediation"
    schema = 2

    def __init__(self, config: RemediationConfig) -> None:
        self._config = config
        self._grouping = Grouping(config.dependencies, config.shared_dependency, config.mutes)

    def keys(self, events: Sequence[RemediationEvent]) -> set[str]:
        return {key for event in events for key in _keys_of(event)}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (timer.key, offers_key(service_in(timer.key))) if timer.kind == EXPIRY else (timer.key,)

    def record_key(self, state_key: str) -> str:
        return service_in(state_key)

    def load(self, key: str, schema: int, body: bytes) -> RemediationState:
        if not self.schema - 1 <= schema <= self.schema:
            known = f"{self.schema - 1} and {self.schema}"
            raise ValueError(f"the state of {key} has schema {schema}; the remediation model reads {known}")
        return state.load(key, body)

    def dump(self, key: str, state_: RemediationState) -> bytes:  # noqa: ARG002 - the key is not part of the stored form
        return state.dump(state_)

    def dump_previous(self, key: str, state_: RemediationState) -> bytes:  # noqa: ARG002 - as above
        return state.dump_previous(state_)

    def apply(
        self,
        events: Sequence[RemediationEvent],
        times: Sequence[float],
        states: States[Any],
        changes: Changes,
    ) -> None:
        """Apply events in order. Execution results change nothing yet: the lane counts them with their topic."""
        for event, time in zip(events, times, strict=True):
            if isinstance(event, Problem):
                self._take_problem(event, time, states, changes)
            elif isinstance(event, DependentProblem):
                key = shared_key(event.service, event.environment)
                shared = states.get(key) or SharedState()
                self._grouping.take(event, shared, changes)
                states.put(key, shared)
            elif isinstance(event, ProblemGrouped):
                self._take_grouped(event, time, states, changes)
            elif isinstance(event, Deployed):
                key = deployed_key(event.service, event.environment)
                states.put(key, deployments.take(states.get(key) or DeployedState(), event))
                changes.set_timer(FORGET, key, time + FORGET_AFTER)
            elif isinstance(event, Verdict):
                _Offers(event.service, states).answer(event)
                changes.write(_verdict_row(event))
                changes.emit(AI_DECISIONS, own_decisions.AGENT, own_decisions.judged(event))

    def fire(self, timer: Timer, clock: float, states: States[Any], changes: Changes) -> None:  # noqa: ARG002
        """A proposal's time is over: it lapses unless it was withdrawn. Or what was deployed long ago is forgotten."""
        if timer.kind == FORGET:
            states.put(timer.key, None)
            return
        held: ProblemState | None = states.get(timer.key)
        if held is None or held.proposal is None or held.proposal.status != "proposed":
            return
        # dated by its expiry, so that it does not matter which tick notices
        proposal = _moved(held.proposal, "expired", held.proposal.expires_at)
        _publish(proposal, changes)
        _Offers(proposal.service, states).forget(proposal)
        states.put(timer.key, msgspec.structs.replace(held, proposal=proposal))

    def merge(self, row: Summary, partial: Summary) -> Summary:
        """Never called: this model corrects nothing."""
        raise TypeError(f"the remediation model corrects no rows: {type(row).__name__}, {type(partial).__name__}")

    def _take_problem(self, problem: Problem, time: float, states: States[Any], changes: Changes) -> None:
        key = key_of(problem.service, problem.problem_id)
        held: ProblemState = states.get(key) or ProblemState(0)
        if problem.version <= held.version:
            return
        proposal = held.proposal
        if problem.status == "open" and proposal is None and not held.part_of:
            proposal = self._propose(problem, problem, time, states, changes)
        elif problem.status != "open":
            proposal = _withdrawn(key, proposal, time, changes)
            _Offers(problem.service, states).forget(proposal)
        told_to = held.told_to
        if problem.status != "resolved":
            # the catalog may have changed since: what it then makes the likelier cause must know this problem, too
            told_to = tuple(dict.fromkeys((*told_to, *self._grouping.told_to(problem))))
        for thing in told_to:
            changes.emit(PROBLEM_LINKS, thing, link(problem, thing))
        latest = problem if told_to and problem.status == "open" else None
        states.put(key, ProblemState(problem.version, proposal, told_to, held.part_of, latest))

    def _take_grouped(self, event: ProblemGrouped, time: float, states: States[Any], changes: Changes) -> None:
        """A problem became part of another one, or stands for itself again: then it gets the proposal that it lacks."""
        key = key_of(event.service, event.problem_id)
        held: ProblemState | None = states.get(key)
        if held is None:
            return
        others = tuple(each for each in held.part_of if each != event.part_of)
        part_of = others if event.released else (*others, event.part_of)
        proposal = held.proposal
        if part_of:
            proposal = _withdrawn(key, proposal, time, changes)
        elif held.latest is not None and proposal is None:
            proposal = self._propose(event, held.latest, time, states, changes)
        elif held.latest is not None and proposal is not None and proposal.status == "withdrawn":
            proposal = self._propose_again(key, proposal, held.latest, time, states, changes)
        states.put(key, msgspec.structs.replace(held, proposal=proposal, part_of=part_of))

    def _propose_again(
        self,
        key: str,
        withdrawn: Proposal,
        problem: Problem,
        time: float,
        states: States[Any],
        changes: Changes,
    ) -> Proposal:
        """Return the next version, with the deployment that it named from the first; the same if it was answered."""
        offered = _Offers(problem.service, states)
        if offered.is_answered(withdrawn):
            return withdrawn
        proposal = msgspec.structs.replace(
            _moved(withdrawn, "proposed", time),
            expires_at=time + self._config.proposal_expiry,
            severity=problem.severity,
            why=problem.why,
            evidence=problem.evidence,
        )
        changes.set_timer(EXPIRY, key, proposal.expires_at)
        offered.offer(proposal)
        _publish(proposal, changes)
        return proposal

    def _propose(
        self,
        event: Problem | ProblemGrouped,
        problem: Problem,
        time: float,
        states: States[Any],
        changes: Changes,
    ) -> Proposal | None:
        """Return the first version; `event` is why the problem gets it."""
        action = self._config.actions.get(problem.detector)
        if action is None:
            return None
        proposal = Proposal(
            proposal_id=derive_id("proposal", problem.service, problem.problem_id, action.name),
            problem_id=problem.problem_id,
            service=problem.service,
            action=action.name,
            severity=problem.severity,
            status="proposed",
            at=time,
            expires_at=time + self._config.proposal_expiry,
            why=problem.why,
            environment=problem.environment,
            parameters=dict(action.parameters),
            evidence=problem.evidence,
            # by the event, whose states are those that were loaded
            deployment=deployments.before(
                states.get(deployed_key(event.service, event.environment)), problem.opened_at
            ),
        )
        changes.set_timer(EXPIRY, key_of(event.service, event.problem_id), proposal.expires_at)
        _Offers(problem.service, states).offer(proposal)
        changes.count(PROPOSALS_MADE)
        _publish(proposal, changes)
        changes.emit(AI_DECISIONS, own_decisions.AGENT, own_decisions.decision(proposal))
        return proposal


class _Offers:
    """What is offered of a service, as it is kept."""

    def __init__(self, service: str, states: States[Any]) -> None:
        self._key = offers_key(service)
        self._states = states
        self._state: OffersState = states.get(self._key) or OffersState()

    def offer(self, proposal: Proposal) -> None:
        offers.offer(self._state, proposal.proposal_id, proposal.version)
        self._keep()

    def answer(self, verdict: Verdict) -> None:
        if offers.answer(self._state, verdict.proposal_id, verdict.proposal_version):
            self._keep()

    def is_answered(self, proposal: Proposal) -> bool:
        return offers.is_answered(self._state, proposal.proposal_id)

    def forget(self, proposal: Proposal | None) -> None:
        if proposal is not None and offers.forget(self._state, proposal.proposal_id):
            self._keep()

    def _keep(self) -> None:
        self._states.put(self._key, self._state if self._state.offers else None)


def _keys_of(event: RemediationEvent) -> tuple[str, ...]:
    if isinstance(event, Problem | ProblemGrouped):
        service = event.service
        return (
            key_of(service, event.problem_id),
            offers_key(service),
            deployed_key(service, event.environment),
        )
    if isinstance(event, DependentProblem):
        return (shared_key(event.service, event.environment),)
    if isinstance(event, Deployed):
        return (deployed_key(event.service, event.environment),)
    return (offers_key(event.service),) if isinstance(event, Verdict) else ()


def _withdrawn(key: str, proposal: Proposal | None, time: float, changes: Changes) -> Proposal | None:
    """Return the proposal as it is once it is not wanted any more; publish that if it was waiting."""
    if proposal is None or proposal.status != "proposed":
        return proposal
    proposal = _moved(proposal, "withdrawn", time)
    changes.clear_timer(EXPIRY, key)
    _publish(proposal, changes)
    return proposal


def _moved(proposal: Proposal, status: ProposalStatus, at: float) -> Proposal:
    """Return the next version; `why` stays: it says what the fix is for."""
    return msgspec.structs.replace(proposal, status=status, at=at, version=proposal.version + 1)


def _publish(proposal: Proposal, changes: Changes) -> None:
    changes.write(_proposal_row(proposal))
    changes.emit(APPROVALS, proposal.service, proposal)


def _proposal_row(proposal: Proposal) -> ProposalSummary:
    deployment = proposal.deployment
    return ProposalSummary(
        proposal_id=proposal.proposal_id,
        problem_id=proposal.problem_id,
        service=proposal.service,
        environment=proposal.environment,
        action=proposal.action,
        severity=proposal.severity,
        status=proposal.status,
        at=proposal.at,
        expires_at=proposal.expires_at,
        why=proposal.why,
        version=proposal.version,
        deployment_id=None if deployment is None else deployment.deployment_id,
        after=None if deployment is None else deployments.in_words(proposal.service, deployment),
    )


def _verdict_row(verdict: Verdict) -> VerdictSummary:
    return VerdictSummary(
        # event ids are unique only within their key
        verdict_id=derive_id("verdict", verdict.service, verdict.identity),
        proposal_id=verdict.proposal_id,
        proposal_version=verdict.proposal_version,
        service=verdict.service,
        decision=verdict.decision,
        by=verdict.by,
        at=verdict.at,
        reason=verdict.reason,
    )
