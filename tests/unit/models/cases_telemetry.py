"""The telemetry model under the laws: few decisions, told and judged in any order, twice and otherwise."""

from hypothesis import strategies as st

from tests.unit.models.laws import START, ModelCase
from vigia.events.ai_decisions import MAX_EXECUTION_TIME, AIDecision
from vigia.events.feedback import DecisionFeedback
from vigia.models.telemetry import TelemetryModel

agents = st.sampled_from(["bot", "reviewer: web"])
numbers = st.sampled_from(["1", "2", "3"])
times = st.sampled_from([0.0, START - 90_000.0, START, START + 0.5])
decisions = st.builds(
    AIDecision,
    agent=agents,
    decision_id=numbers,
    decision_type=st.sampled_from(["deployment-risk", "deployment-risk", "triage"]),
    decision=st.just("ok"),
    at=times,
    confidence=st.none() | st.sampled_from([0.0, 0.05, 0.9, 1.0]) | st.floats(0, 1),
    execution_time=st.none() | st.sampled_from([0.0, 5e-324, 1.5, MAX_EXECUTION_TIME]),
    event_id=st.sampled_from(["", "again"]),
)
judgements = st.builds(
    DecisionFeedback,
    agent=agents,
    decision_id=numbers,
    judgement=st.sampled_from(["correct", "incorrect", "partly"]),
    judge=st.sampled_from(["person", "outcome"]),
    at=times,
)

CASES = [
    ModelCase("telemetry", TelemetryModel, decisions | judgements),
    ModelCase("telemetry-forgetful", lambda: TelemetryModel(forget_after=60.0), decisions | judgements),
]
