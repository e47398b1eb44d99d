"""The model of the telemetry agent: reads the topic `ai-decisions`, keyed by AI agent.

Minimal for now: a row a decision, and counts of decisions and of the judgements on them.
"""

import msgspec

from vigia.events.ai_decisions import AIDecision
from vigia.events.effects import Changes, States, Timer
from vigia.events.feedback import DecisionFeedback
from vigia.events.summaries import AIDecisionSummary, Summary

AGENT = "agent:"
"""How the keys of the states begin."""


class AgentState(msgspec.Struct):
    """What is counted of an AI agent. A judgement counts even when its decision never came."""

    decisions: int = 0
    correct: int = 0
    incorrect: int = 0
    partly: int = 0


class TelemetryModel:
    """Records the decisions of AI agents and counts what people and outcomes say of them."""

    name = "telemetry"
    schema = 1

    def keys(self, events: list[AIDecision | DecisionFeedback]) -> set[str]:
        return {AGENT + event.agent for event in events}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:  # noqa: ARG002 - no timers are set
        return ()

    def record_key(self, state_key: str) -> str:
        return state_key.removeprefix(AGENT)

    def load(self, key: str, schema: int, body: bytes) -> AgentState:
        if schema != self.schema:
            raise ValueError(f"the state of {key} has schema {schema}; this version reads {self.schema}")
        try:
            return _DECODER.decode(body)
        except msgspec.DecodeError as error:
            raise ValueError(f"the state of {key} is not whole: {error}") from error

    def dump(self, key: str, state: AgentState) -> bytes:  # noqa: ARG002 - the protocol's
        return msgspec.msgpack.encode(state)

    def apply(
        self,
        events: list[AIDecision | DecisionFeedback],
        times: list[float],  # noqa: ARG002 - nothing depends on arrival
        states: States[AgentState],
        changes: Changes,
    ) -> None:
        for event in events:
            key = AGENT + event.agent
            state = states.get(key) or AgentState()
            if isinstance(event, DecisionFeedback):
                setattr(state, event.judgement, getattr(state, event.judgement) + 1)
            else:
                state.decisions += 1
                changes.write(_row(event))
            states.put(key, state)

    def fire(self, timer: Timer, clock: float, states: States[AgentState], changes: Changes) -> None:
        """No timers are set, so none fires."""

    def merge(self, row: Summary, partial: Summary) -> Summary:
        raise NotImplementedError(f"{self.name} writes whole rows, never corrections: {row!r}, {partial!r}")


_DECODER = msgspec.msgpack.Decoder(AgentState)


def _row(event: AIDecision) -> AIDecisionSummary:
    return AIDecisionSummary(**{name: getattr(event, name) for name in AIDecisionSummary.__struct_fields__})
