"""The telemetry model under the laws."""

from hypothesis import strategies as st

from tests.unit.models.laws import START, ModelCase
from vigia.events.ai_decisions import AIDecision
from vigia.events.feedback import DecisionFeedback
from vigia.models.telemetry import TelemetryModel

agents = st.sampled_from(["bot", "vigia.risk"])
decisions = st.builds(
    AIDecision,
    agent=agents,
    decision_id=st.sampled_from(["1", "2"]),
    decision_type=st.just("deployment-risk"),
    decision=st.sampled_from(["risky", "ok"]),
    at=st.just(START),
    confidence=st.none() | st.floats(0, 1),
)
judgements = st.builds(
    DecisionFeedback,
    agent=agents,
    decision_id=st.sampled_from(["1", "2"]),
    judgement=st.sampled_from(["correct", "incorrect", "partly"]),
    judge=st.just("person"),
    at=st.just(START),
)

CASES = [ModelCase("telemetry", TelemetryModel, decisions | judgements)]
