"""The telemetry model: a row a decision, and counts of judgements."""

import pytest

from tests.unit.models.laws import START, Lane, Sent
from vigia.events.ai_decisions import AIDecision
from vigia.events.feedback import DecisionFeedback
from vigia.events.summaries import AIDecisionSummary
from vigia.models.telemetry import AgentState, TelemetryModel


def decided(number, agent="bot", **fields):
    return AIDecision(agent=agent, decision_id=str(number), decision_type="triage", decision="ok", at=START, **fields)


def judged(judgement, agent="bot"):
    return DecisionFeedback(agent=agent, decision_id="1", judgement=judgement, judge="person", at=START)


def lane_after(*events):
    return Lane(TelemetryModel()).run([Sent(event, START) for event in events])


def test_a_decision_becomes_a_row_with_all_that_was_said():
    lane = lane_after(decided(1, confidence=0.9, execution_time=12.5, model_version="3", reference="d1"))
    assert list(lane.rows.values()) == [
        AIDecisionSummary(
            agent="bot",
            decision_id="1",
            decision_type="triage",
            decision="ok",
            at=START,
            confidence=0.9,
            execution_time=12.5,
            model_version="3",
            reference="d1",
        )
    ]


def test_decisions_and_judgements_are_counted_by_agent():
    lane = lane_after(decided(1), decided(2), judged("correct"), judged("partly"), judged("incorrect", "other"))
    assert lane.states == {
        "agent:bot": AgentState(decisions=2, correct=1, partly=1),
        "agent:other": AgentState(incorrect=1),
    }


def test_a_state_of_another_schema_or_cut_short_is_refused():
    model = TelemetryModel()
    with pytest.raises(ValueError, match="schema 9"):
        model.load("agent:bot", 9, model.dump("agent:bot", AgentState()))
    with pytest.raises(ValueError, match="not whole"):
        model.load("agent:bot", 1, b"\x81")
