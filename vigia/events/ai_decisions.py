"""Decisions of AI agents: any automated decider whose decisions are measured, Vigia's own models among them."""

from math import isfinite

from vigia.events.base import EventStruct, set_frozen
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import check_name, check_optional_name
from vigia.events.times import Time, epoch_seconds


class AIDecision(EventStruct, tag_field="type", tag="decision", frozen=True, kw_only=True):
    """One decision: who decided what, how sure it was, and how long it took.

    `confidence` is a probability in [0, 1] that the decision is right; `execution_time` is in milliseconds; `reference`
    names what was decided about (a deployment id, a ticket).
    """

    agent: str
    decision_id: str
    decision_type: str
    decision: str
    at: Time
    confidence: float | None = None
    execution_time: float | None = None
    model_version: str = ""
    reference: str = ""
    event_id: str = ""

    def __post_init__(self) -> None:
        for field in ("agent", "decision_id", "decision_type", "decision"):
            check_name(getattr(self, field), field)
        for field in ("model_version", "reference", "event_id"):
            check_optional_name(getattr(self, field), field)
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise InvalidEvent(Reason.BAD_VALUE, f"confidence is {self.confidence}: it must lie in [0, 1]")
        if self.execution_time is not None and not (isfinite(self.execution_time) and self.execution_time >= 0):
            raise InvalidEvent(Reason.BAD_VALUE, f"execution_time is {self.execution_time}: milliseconds, not negative")
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """The sender's event id, or one a decision."""
        return self.event_id or derive_id("decision", self.agent, self.decision_id)

    @property
    def occurred_at(self) -> float:
        """When it was decided."""
        return self.at
