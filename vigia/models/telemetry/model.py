"""The telemetry model: reads the topic `ai-decisions`, keyed by AI agent. One state a decision, forgotten by a timer.

A decision becomes a row of its own and is counted in rows that add up (`tallies.py`); feedback moves the counts of the
decision's day. Feedback that comes first waits. What may surprise: a judgement is never "one more", it replaces what
the same kind of judge said before, so the counts are those of the decisions, not of the messages.
"""

from vigia.events.ai_decisions import AIDecision
from vigia.events.effects import Changes, States, Timer
from vigia.events.feedback import DecisionFeedback
from vigia.events.figures import DECISIONS_UNJUDGED, JUDGEMENTS_WITHOUT_DECISION
from vigia.events.invalid import Reason
from vigia.events.summaries import AIDecisionSummary, Summary
from vigia.models import contradictions
from vigia.models.telemetry import state as states_of_decisions
from vigia.models.telemetry.state import Decided, DecisionState, agent_in, hear, state_key
from vigia.models.telemetry.tallies import Tallies, counts_of, merged_rows

FORGET = "forget"
"""The timer that deletes a decision's state; its key is the state's key."""

FORGET_AFTER = 180 * 86_400.0
"""Seconds of Kafka time after the last event: as long as deployments, whose outcomes judge Vigia's own scores."""


class TelemetryModel:
    """Records the decisions of AI agents and counts what people and outcomes say of them.

    `forget_after` is in seconds of the lane's clock. A decision that is told again with other content is refused:
    which of the two was made is not for us to guess.

    >>> model, states = TelemetryModel(), States[DecisionState]({state_key("bot", "1"): None})
    >>> decision = AIDecision(
    ...     agent="bot", decision_id="1", decision_type="triage", decision="close", at=90_000.0, confidence=0.9
    ... )
    >>> right = DecisionFeedback(agent="bot", decision_id="1", judgement="correct", judge="person", at=90_100.0)
    >>> changes = Changes()
    >>> model.apply([right, decision], [90_100.0, 90_101.0], states, changes)
    >>> [(row.judge, row.decisions, row.correct) for row in changes.corrections.values()]
    [('all', 1, 0), ('person', 1, 1), ('any', 1, 1)]
    """

    name = "telemetry"
    schema = states_of_decisions.SCHEMA

    def __init__(self, forget_after: float = FORGET_AFTER) -> None:
        self._forget_after = forget_after

    def keys(self, events: list[AIDecision | DecisionFeedback]) -> set[str]:
        return {state_key(event.agent, event.decision_id) for event in events}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (timer.key,)

    def record_key(self, state_key: str) -> str:
        return agent_in(state_key)

    def load(self, key: str, schema: int, body: bytes) -> DecisionState:
        return states_of_decisions.load(key, schema, body)

    def dump(self, key: str, state: DecisionState) -> bytes:  # noqa: ARG002 - the protocol's
        return states_of_decisions.dump(state)

    def apply(
        self,
        events: list[AIDecision | DecisionFeedback],
        times: list[float],
        states: States[DecisionState],
        changes: Changes,
    ) -> None:
        tallies = Tallies()
        for index, (event, time) in enumerate(zip(events, times, strict=True)):
            key = state_key(event.agent, event.decision_id)
            state = states.get(key) or DecisionState()
            before = counts_of(state)
            if isinstance(event, DecisionFeedback):
                held = state.said.get(event.judge)
                hear(state, event)
                if held is not None and held.judgement != event.judgement:
                    said_before = contradictions.Before(held.sender, held.judgement, held.at)
                    stands = state.said[event.judge].judgement
                    contradictions.note(event, said_before, stands, event.service, time, changes)
            else:
                decided = Decided.of(event)
                if state.decided is not None and state.decided != decided:
                    detail = (
                        f"decision {event.decision_id!r} of {event.agent!r} was told before with other content; "
                        "another decision needs an id of its own"
                    )
                    changes.reject(index, Reason.CONFLICTING_ID, detail)
                    continue
                if state.decided is None:
                    state.decided = decided
                    changes.write(_row(event))
                    tallies.took(event.agent, state, event.execution_time)
            tallies.moved(event.agent, before, state)
            states.put(key, state)
            changes.set_timer(FORGET, key, time + self._forget_after)
        tallies.settle(changes)

    def fire(self, timer: Timer, clock: float, states: States[DecisionState], changes: Changes) -> None:  # noqa: ARG002
        """Forget a decision of which nothing was heard for long, and count what never met: its rows stay."""
        state = states.get(timer.key)
        if state is None:
            return
        if state.decided is None:
            changes.count(JUDGEMENTS_WITHOUT_DECISION, len(state.said))
        elif not state.said:
            changes.count(DECISIONS_UNJUDGED)
        states.put(timer.key, None)

    def merge(self, row: Summary, partial: Summary) -> Summary:
        return merged_rows(row, partial)


def _row(event: AIDecision) -> AIDecisionSummary:
    return AIDecisionSummary(**{name: getattr(event, name) for name in AIDecisionSummary.__struct_fields__})
