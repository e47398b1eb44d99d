"""Decisions of AI agents: any automated decider whose decisions are measured, Vigia's own models among them."""

from vigia.events.base import EventStruct, set_frozen
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import check_name, check_optional_name
from vigia.events.times import Time, epoch_seconds

MAX_EXECUTION_TIME = 7 * 86_400_000.0
"""Longest execution time in milliseconds: a week. Sums of it are whole numbers that a column must hold."""


class AIDecision(EventStruct, tag_field="type", tag="decision", frozen=True, kw_only=True):
    """One decision: who decided what, how sure it was, and how long it took.

    `confidence` is a probability in [0, 1] that the decision is right; `execution_time` is in milliseconds, at most a
    week; `reference` names what was decided about (a deployment id, a ticket). A decision is told once: under its id
    there is never another one.
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
        if self.execution_time is not None and not 0 <= self.execution_time <= MAX_EXECUTION_TIME:
            raise InvalidEvent(
                Reason.BAD_VALUE,
                f"execution_time is {self.execution_time}: milliseconds, from 0 to {MAX_EXECUTION_TIME:.0f} (a week)",
            )
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """The sender's event id, or one a decision."""
        return self.event_id or derive_id("decision", self.agent, self.decision_id)

    @property
    def occurred_at(self) -> float:
        """When it was decided."""
        return self.at
