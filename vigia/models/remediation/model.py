"""The model of the remediation agent: problems in, proposals out. One state a problem.

Proposals live in Kafka time: what counts for the people asked is when they could have seen the proposal, not when the
window that showed the problem ended. Verdicts are recorded and
judge the proposal as the decision that it is; nothing acts on them yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from vigia.events.effects import Changes, States, Timer
from vigia.events.figures import PROPOSALS_MADE
from vigia.events.identity import derive_id
from vigia.events.problems import Problem
from vigia.events.remediation import ExecutionResult, Proposal, ProposalStatus, Verdict
from vigia.events.summaries import ProposalSummary, Summary, VerdictSummary
from vigia.models.remediation import own_decisions
from vigia.models.remediation.actions import ACTIONS, Action
from vigia.models.remediation.own_decisions import AI_DECISIONS
from vigia.models.remediation.state import ProblemState, dump_problem, key_of, load_problem, service_in

APPROVALS = "approvals"
"""The topic that proposals are published on."""

EXPIRY = "expiry"
"""Kind of the timers by which proposals lapse; their key is that of the problem's state."""

RemediationEvent = Problem | Verdict | ExecutionResult


@dataclass(frozen=True)
class RemediationConfig:
    """How long a proposal waits for a verdict, in seconds of Kafka time, and which action it offers."""

    proposal_expiry: float = 3_600.0
    actions: dict[str, Action] = field(default_factory=lambda: dict(ACTIONS))


class RemediationModel:
    """Makes one proposal for each open problem, and withdraws it when the problem is resolved before a verdict.

    Versions that come late or twice are ignored: no proposal is made for a problem that is known to be resolved. A
    stale problem gets no proposal. A proposal without a verdict lapses as `expired`, which is not a denial.
    """

    name = "remediation"
    schema = 1

    def __init__(self, config: RemediationConfig) -> None:
        self._config = config

    def keys(self, events: Sequence[RemediationEvent]) -> set[str]:
        return {key_of(event.service, event.problem_id) for event in events if isinstance(event, Problem)}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (timer.key,)

    def record_key(self, state_key: str) -> str:
        return service_in(state_key)

    def load(self, key: str, schema: int, body: bytes) -> ProblemState:
        if schema != self.schema:
            raise ValueError(f"the state of {key} has schema {schema}; the remediation model reads {self.schema}")
        return load_problem(body)

    def dump(self, key: str, state: ProblemState) -> bytes:  # noqa: ARG002 - the key is not part of the stored form
        return dump_problem(state)

    def apply(
        self,
        events: Sequence[RemediationEvent],
        times: Sequence[float],
        states: States[ProblemState],
        changes: Changes,
    ) -> None:
        """Apply events in order. Execution results change nothing yet: the lane counts them with their topic."""
        for event, time in zip(events, times, strict=True):
            if isinstance(event, Problem):
                self._take_problem(event, time, states, changes)
            elif isinstance(event, Verdict):
                changes.write(_verdict_row(event))
                changes.emit(AI_DECISIONS, own_decisions.AGENT, own_decisions.judged(event))

    def fire(self, timer: Timer, clock: float, states: States[ProblemState], changes: Changes) -> None:  # noqa: ARG002
        """A proposal's time is over: it lapses unless it was answered or withdrawn."""
        state = states.get(timer.key)
        if state is None or state.proposal is None or state.proposal.status != "proposed":
            return
        # dated by its expiry, so that it does not matter which tick notices
        proposal = _moved(state.proposal, "expired", state.proposal.expires_at)
        _publish(proposal, changes)
        states.put(timer.key, ProblemState(state.version, proposal))

    def merge(self, row: Summary, partial: Summary) -> Summary:
        """Never called: this model corrects nothing."""
        raise TypeError(f"the remediation model corrects no rows: {type(row).__name__}, {type(partial).__name__}")

    def _take_problem(self, problem: Problem, time: float, states: States[ProblemState], changes: Changes) -> None:
        key = key_of(problem.service, problem.problem_id)
        state = states.get(key)
        if state is not None and problem.version <= state.version:
            return
        proposal = state.proposal if state is not None else None
        if problem.status == "open" and proposal is None:
            proposal = self._propose(key, problem, time, changes)
        elif problem.status == "resolved" and proposal is not None and proposal.status == "proposed":
            proposal = _moved(proposal, "withdrawn", time)
            changes.clear_timer(EXPIRY, key)
            _publish(proposal, changes)
        states.put(key, ProblemState(problem.version, proposal))

    def _propose(self, key: str, problem: Problem, time: float, changes: Changes) -> Proposal | None:
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
        )
        changes.set_timer(EXPIRY, key, proposal.expires_at)
        changes.count(PROPOSALS_MADE)
        _publish(proposal, changes)
        changes.emit(AI_DECISIONS, own_decisions.AGENT, own_decisions.decision(proposal))
        return proposal


def _moved(proposal: Proposal, status: ProposalStatus, at: float) -> Proposal:
    """Return the next version; `why` stays: it says what the fix is for."""
    return msgspec.structs.replace(proposal, status=status, at=at, version=proposal.version + 1)


def _publish(proposal: Proposal, changes: Changes) -> None:
    changes.write(_proposal_row(proposal))
    changes.emit(APPROVALS, proposal.service, proposal)


def _proposal_row(proposal: Proposal) -> ProposalSummary:
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
