"""What is remembered of one decision: what it counts as, and the latest that was said of it.

Either may come first. New fields are added at the end with a default; anything else needs a new schema version.
"""

import msgspec

from vigia.events.ai_decisions import AIDecision
from vigia.events.feedback import DecisionFeedback, Judge, Judgement
from vigia.events.identity import content_hash, derive_id
from vigia.models.contradictions import speaker
from vigia.models.telemetry.bins import BILLIONTHS, bin_of

SCHEMA = 1

DECISION = "decision:"
"""How the keys of the states begin."""

DAY = 86_400
"""Seconds of the windows in which decisions are counted; each begins at midnight UTC."""

_WORSE: dict[Judgement, int] = {"correct": 0, "partly": 1, "incorrect": 2}


class Decided(msgspec.Struct, array_like=True, frozen=True):
    """What a decision counts as, and a digest to know it by when it is told again."""

    start: int
    decision_type: str
    bin: int
    confidence: int
    """In billionths; 0 where there is none."""
    content: bytes

    @staticmethod
    def of(event: AIDecision) -> "Decided":
        """Return what `event` counts as."""
        # told again under another event id it is the same decision
        content = msgspec.json.encode(msgspec.structs.replace(event, event_id=""))
        return Decided(
            int(event.at // DAY) * DAY,
            event.decision_type,
            bin_of(event.confidence),
            round((event.confidence or 0.0) * BILLIONTHS),
            content_hash(content),
        )


class Said(msgspec.Struct, array_like=True, frozen=True):
    """A judgement and when it was said (epoch seconds)."""

    at: float
    judgement: Judgement
    sender: str = ""
    """Who said it; empty in states of earlier releases."""


class DecisionState(msgspec.Struct, array_like=True):
    """One decision: None while only feedback has come."""

    decided: Decided | None = None
    said: dict[Judge, Said] = msgspec.field(default_factory=dict)
    """The latest word of people and of outcomes."""


def hear(state: DecisionState, feedback: DecisionFeedback) -> None:
    """Put a feedback into `state`: of each kind of judge the one counts that was said last, whatever came last.

    Of two said at one time the worse counts, so that the order in which they come does not matter.
    """
    held, new = state.said.get(feedback.judge), Said(feedback.at, feedback.judgement, speaker(feedback))
    if held is None or _rank(new) > _rank(held):
        said = {**state.said, feedback.judge: new}
        state.said = {judge: said[judge] for judge in sorted(said)}


def state_key(agent: str, decision_id: str) -> str:
    """Return the key of a decision's state.

    >>> agent_in(state_key("reviewer: web", "pull/7"))
    'reviewer: web'
    """
    return f"{DECISION}{agent}:{derive_id('decision', agent, decision_id)}"


def agent_in(key: str) -> str:
    """Return the agent in a decision's key; what follows it has no colon."""
    return key.removeprefix(DECISION).rpartition(":")[0]


def dump(state: DecisionState) -> bytes:
    """Return the stored form of a state."""
    return msgspec.msgpack.encode(state)


def load(key: str, schema: int, body: bytes) -> DecisionState:
    """Return the state stored under `key`; raises ValueError when it is of another schema or not whole."""
    if schema != SCHEMA:
        raise ValueError(f"the state of {key} has schema {schema}; this version reads {SCHEMA}")
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(f"the state of {key} is not whole: {error}") from error


def _rank(said: Said) -> tuple[float, int]:
    return said.at, _WORSE[said.judgement]


_DECODER = msgspec.msgpack.Decoder(DecisionState)
