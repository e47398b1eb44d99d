"""Made-up decisions of an AI agent with the feedback on them, and the rows that the telemetry model makes of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from tests.unit.models.laws import START, Lane, Sent
from vigia.events.ai_decisions import AIDecision
from vigia.events.base import Event
from vigia.events.feedback import DecisionFeedback, Judgement
from vigia.events.summaries import AIDecisionTally, AIDecisionTimes
from vigia.models.telemetry import TelemetryModel
from vigia.models.telemetry.state import DAY

MIDNIGHT = int(START // DAY) * DAY


@dataclass
class Made:
    """Decisions as arrays: what they said, and what was right."""

    confidence: np.ndarray
    right: np.ndarray
    judged: np.ndarray
    milliseconds: np.ndarray
    events: list[Event] = field(default_factory=list)


def made(
    seed: int,
    n: int,
    *,
    days: int = 1,
    first_day: int = 0,
    truth: Callable[[np.ndarray], np.ndarray] = lambda confidence: confidence,
    asked: Callable[[np.ndarray], np.ndarray] = lambda confidence: np.full(len(confidence), 0.6),
    shape: tuple[float, float] = (6.0, 2.0),
) -> Made:
    """Return `n` decisions: `truth` is how often they are right by confidence, `asked` how often they get feedback."""
    chance = np.random.default_rng(seed)
    confidence = chance.beta(*shape, n)
    right, judged = chance.random(n) < truth(confidence), chance.random(n) < asked(confidence)
    found = Made(confidence, right, judged, chance.lognormal(5.0, 1.0, n))
    for number in range(n):
        at = MIDNIGHT + (first_day + number % days) * DAY + 60.0
        name = f"{first_day}-{number}"
        found.events.append(
            AIDecision(
                agent="bot",
                decision_id=name,
                decision_type="triage",
                decision="x",
                at=at,
                confidence=float(confidence[number]),
                execution_time=float(found.milliseconds[number]),
            )
        )
        if judged[number]:
            judgement: Judgement = "correct" if right[number] else "incorrect"
            found.events.append(
                DecisionFeedback(agent="bot", decision_id=name, judgement=judgement, judge="person", at=at + 1)
            )
    return found


def rows_of(events: Iterable[Event]) -> tuple[list[AIDecisionTally], list[AIDecisionTimes]]:
    """Return the tallies and the times that the model makes of these events."""
    lane = Lane(TelemetryModel(), reload=False)
    lane.apply([Sent(event, START) for event in events])
    rows = list(lane.rows.values())
    return (
        [row for row in rows if isinstance(row, AIDecisionTally)],
        [row for row in rows if isinstance(row, AIDecisionTimes)],
    )
