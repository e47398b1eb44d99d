"""Labels that contradict what was said before of the same deployment or AI decision: each leaves a row, for people.

Which of the two counts is not decided here (`models/deployments/learning.py`, `models/telemetry/state.py`). What may
surprise: what Vigia says otherwise than itself is left out. It repeats what others have told, a pipeline that was tried
again or a corrected outcome, and that has its row where it was told.
"""

from typing import NamedTuple

from vigia.events.effects import Changes
from vigia.events.feedback import OWN_SENDER, DecisionFeedback, Outcome, sender_of
from vigia.events.figures import FEEDBACK_CONTRADICTIONS
from vigia.events.identity import derive_id
from vigia.events.summaries import ContradictionSummary


class Before(NamedTuple):
    """What was said before: by whom, what, and when (epoch seconds)."""

    sender: str
    said: str
    at: float


def note(
    event: Outcome | DecisionFeedback, before: Before, stands: str, service: str, time: float, changes: Changes
) -> None:
    """Write the row of an event that says otherwise than was said before.

    `stands` is what counts now; `time` is the event's Kafka time.
    """
    sender = speaker(event)
    if sender == before.sender == OWN_SENDER:
        return
    if isinstance(event, Outcome):
        kind, record_key, source, external_id = "outcome", event.scope, event.source, event.external_id
        label, said = str(event.label), "failed" if event.failed else "succeeded"
    else:
        kind, record_key, source, external_id = "judgement", event.agent, event.agent, event.decision_id
        label, said = str(event.judge), str(event.judgement)
    changes.count(FEEDBACK_CONTRADICTIONS)
    changes.write(
        ContradictionSummary(
            contradiction_id=derive_id("contradiction", kind, record_key, event.identity),
            record_key=record_key,
            kind=kind,
            source=source,
            external_id=external_id,
            service=service,
            label=label,
            sender=sender,
            said=said,
            at=event.at,
            other_sender=before.sender,
            other=before.said,
            other_at=before.at,
            stands=stands,
            told_at=time,
        )
    )


def speaker(event: Outcome | DecisionFeedback) -> str:
    """Return who says it: its sender, else its source, else the person that it names."""
    return sender_of(event) or event.by
