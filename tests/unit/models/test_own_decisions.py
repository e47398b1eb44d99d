"""Vigia's own scores and proposals are decisions like any other: told once, judged by outcomes and verdicts."""

import math
from itertools import permutations

import pytest

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.ai_decisions import AIDecision
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.feedback import DecisionFeedback, Outcome
from vigia.events.names import MAX_NAME
from vigia.events.remediation import Verdict
from vigia.events.risk import Risk
from vigia.events.summaries import AIDecisionTally
from vigia.models.deployments import DeploymentsModel
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.telemetry import TelemetryModel


def deployment(number, scope="shop"):
    return Deployment(
        source="ci",
        external_id=str(number),
        service="web",
        scope=scope,
        stage="planned",
        at=START,
        features=ChangeFeatures(la=10.0 * number),
    )


def outcome(number, failed, at=START + 60.0, label="intervention"):
    return Outcome(source="ci", external_id=str(number), scope="shop", service="web", at=at, failed=failed, label=label)


def told(model, *events):
    """What the model tells telemetry of these events."""
    lane = Lane(model).run([Sent(event, START) for event in events])
    return lane, [each.event for each in lane.outputs if each.topic == "ai-decisions"]


def measured(events):
    lane = Lane(TelemetryModel()).run([Sent(event, START) for event in events])
    assert lane.rejections == []
    return [row for row in lane.rows.values() if isinstance(row, AIDecisionTally) and row.judge == "outcome"]


def test_a_score_is_a_decision_for_the_plain_answer():
    lane, (decision,) = told(DeploymentsModel(), deployment(1))
    (risk,) = [each.event for each in lane.outputs if isinstance(each.event, Risk)]
    fails = risk.probability > (risk.usual or 1.0)
    assert (decision.agent, decision.decision_type) == ("vigia.risk", f"deployment-risk.{risk.label}")
    assert (decision.decision, decision.reference) == ("fail" if fails else "ok", risk.deployment_id)
    assert decision.confidence == (risk.probability if fails else 1.0 - risk.probability)
    assert (decision.at, decision.model_version) == (risk.at, risk.model)


def test_the_brier_score_of_the_decisions_is_that_of_the_predicted_probabilities():
    failed = [number % 3 == 0 for number in range(30)]
    events = [each for number in range(30) for each in (deployment(number), outcome(number, failed[number]))]
    lane, tellings = told(DeploymentsModel("intervention"), *events)
    risks = [each.event for each in lane.outputs if isinstance(each.event, Risk)]
    rows = measured(tellings)
    assert sum(row.decisions for row in rows) == 30
    assert sum(row.correct for row in rows) == sum(
        (risk.probability > (risk.usual or 1.0)) == fails for risk, fails in zip(risks, failed, strict=True)
    )
    brier = sum((risk.probability - fails) ** 2 for risk, fails in zip(risks, failed, strict=True))
    assert math.isclose(sum(row.squared_error for row in rows) / 1e9, brier, abs_tol=30 * 2e-9)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_corrected_outcome_corrects_the_judgement_in_any_order(order):
    events = [deployment(1), outcome(1, failed=False), outcome(1, failed=True, at=START + 90.0)]
    _, tellings = told(DeploymentsModel("intervention"), *(events[place] for place in order))
    (decision,) = [each for each in tellings if isinstance(each, AIDecision)]
    (row,) = measured(tellings)
    assert (row.decisions, row.correct) == (1, int(decision.decision == "fail"))


def test_a_failure_that_is_told_after_the_silence_counts_though_it_happened_before_its_end():
    model = DeploymentsModel("intervention", waiting_times={"intervention": 1_000.0, "defect": 5_000.0})
    known = [deployment(1), outcome(1, failed=True), deployment(2)]
    lane = Lane(model).run([*(Sent(event, START) for event in known), Tick(START + 2_000.0)])
    told_by_then = [each.event for each in lane.outputs if each.topic == "ai-decisions"]
    lane.run([Sent(outcome(2, failed=True, at=START), START + 3_000.0)])
    tellings = [each.event for each in lane.outputs if each.topic == "ai-decisions"]
    (second,) = [each for each in tellings if isinstance(each, AIDecision)][1:]
    for events, failed in ((told_by_then, False), (tellings, True)):
        about = [
            each
            for each in events
            if isinstance(each, AIDecision | DecisionFeedback) and each.decision_id == second.decision_id
        ]
        (row,) = measured(about)
        assert (row.decisions, row.correct) == (1, int((second.decision == "fail") == failed))


def test_an_outcome_of_another_kind_judges_nothing():
    _, tellings = told(DeploymentsModel("intervention"), deployment(1), outcome(1, failed=True, label="ci_status"))
    assert [type(each) for each in tellings] == [AIDecision]


def test_two_scopes_that_tell_of_one_deployment_make_two_decisions_even_with_the_longest_names():
    _, tellings = told(DeploymentsModel(), deployment(1, "s" * MAX_NAME), deployment(1, "t" * MAX_NAME))
    assert len({each.decision_id for each in tellings}) == 2


@pytest.mark.parametrize(("answer", "judgement"), [("approve", "correct"), ("deny", "incorrect")])
def test_a_verdict_is_a_persons_feedback_on_its_proposal(answer, judgement):
    verdict = Verdict(
        proposal_id="p" * MAX_NAME,
        proposal_version=1,
        service="shop",
        decision=answer,
        by="ada",
        at=START,
        reason="It fits.",
    )
    _, (feedback,) = told(RemediationModel(RemediationConfig()), verdict)
    assert isinstance(feedback, DecisionFeedback)
    assert (feedback.agent, feedback.decision_id) == ("vigia.remediation", "p" * MAX_NAME)
    assert (feedback.judgement, feedback.judge, feedback.by) == (judgement, "person", "ada")
    assert (feedback.at, feedback.reason) == (START, "It fits.")


def test_a_decision_of_the_release_before_is_judged_as_it_was_made():
    lane, _ = told(DeploymentsModel("intervention"), deployment(1))
    (state,) = [each for key, each in lane.states.items() if key.startswith("deployment:")]
    state.called, state.risk = None, 0.4
    lane.run([Sent(outcome(1, failed=False), START)])
    (feedback,) = [each.event for each in lane.outputs if isinstance(each.event, DecisionFeedback)]
    assert feedback.judgement == "correct"
