"""Names of the figures that lanes count: the same in the lane's row, in `make run`'s last line, and in `status`."""

WINDOWS_CLOSED = "windows_closed"
HOURS_ROLLED = "hours_rolled"
LATE_SAMPLES = "late_samples"
TOO_OLD_POINTS = "too_old_points"
DEPLOYMENTS_SCORED = "deployments_scored"
OUTCOMES_LEARNED = "outcomes_learned"
OUTCOMES_WAITING = "outcomes_waiting"
DRIFT_ALARMS = "drift_alarms"
PROBLEMS_OPENED = "problems_opened"
PROBLEMS_RESOLVED = "problems_resolved"
PROBLEMS_STALE = "problems_stale"
PROBLEMS_WORSE = "problems_worse"
PROBLEMS_HELD = "problems_held"
PROBLEMS_SHARED = "problems_shared"
"""Problems of a thing that several services depend on, which stand for theirs."""
PROPOSALS_MADE = "proposals_made"
DECISIONS_UNJUDGED = "decisions_unjudged"
"""AI decisions that were forgotten without any feedback."""
JUDGEMENTS_WITHOUT_DECISION = "judgements_without_decision"
"""Feedback on AI decisions that was forgotten because its decision never came."""
FEEDBACK_OVER_LIMIT = "feedback_over_limit"
"""Feedback that was refused because its sender had said enough that day."""
FEEDBACK_CONTRADICTIONS = "feedback_contradictions"
"""Outcomes and judgements that say otherwise than what was said before."""

MODEL_FIGURES = (
    WINDOWS_CLOSED,
    HOURS_ROLLED,
    LATE_SAMPLES,
    TOO_OLD_POINTS,
    DEPLOYMENTS_SCORED,
    OUTCOMES_LEARNED,
    OUTCOMES_WAITING,
    DRIFT_ALARMS,
    PROBLEMS_OPENED,
    PROBLEMS_RESOLVED,
    PROBLEMS_STALE,
    PROBLEMS_WORSE,
    PROBLEMS_HELD,
    PROBLEMS_SHARED,
    PROPOSALS_MADE,
    DECISIONS_UNJUDGED,
    JUDGEMENTS_WITHOUT_DECISION,
    FEEDBACK_OVER_LIMIT,
    FEEDBACK_CONTRADICTIONS,
)

TOPIC_FIGURES = ("in", "applied", "duplicate", "invalid", "moved", "ticks")
"""Per topic: in = applied + duplicate + invalid + moved (sent again under their right key); ticks are apart."""


def topic_figure(topic: str, figure: str) -> str:
    """Return the name of a per-topic figure, such as `metrics.in`."""
    return f"{topic}.{figure}"
