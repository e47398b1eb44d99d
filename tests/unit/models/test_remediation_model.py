"""The remediation model: exactly one proposal for an open problem, withdrawn or lapsed, never denied by silence."""

import pytest

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.ai_decisions import AIDecision
from vigia.events.identity import derive_id
from vigia.events.problems import Problem
from vigia.events.remediation import ExecutionResult, Verdict
from vigia.events.summaries import ProposalSummary, VerdictSummary
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.remediation.state import deployed_key, key_of, offers_key


def lane(**settings):
    return Lane(RemediationModel(RemediationConfig(**settings)))


def problem(status="open", version=1, detector="high_error_rate", problem_id="p1"):
    return Problem(
        problem_id=problem_id,
        service="shop",
        detector=detector,
        severity="P1",
        status=status,
        opened_at=START - 60,
        at=START - 60,
        why="The error rate is 30 %.",
        series_id="s",
        metric="error_rate",
        evidence={"mean": 0.3},
        version=version,
    )


def proposals(run):
    return [(output.event.status, output.event.version) for output in run.outputs if output.topic == "approvals"]


def test_an_open_problem_gets_exactly_one_proposal():
    run = lane().run([Sent(problem(), START), Sent(problem(), START + 1), Sent(problem(version=2), START + 2)])
    output, told = run.outputs
    proposal = output.event
    assert (output.topic, output.key) == ("approvals", "shop")
    assert proposal.proposal_id == derive_id("proposal", "shop", "p1", "rollback")
    assert (proposal.action, proposal.parameters, proposal.severity) == ("rollback", {}, "P1")
    assert (proposal.at, proposal.expires_at) == (START, START + 3_600)
    assert (proposal.evidence, proposal.why) == ({"mean": 0.3}, "The error rate is 30 %.")
    assert run.timers == {("expiry", key_of("shop", "p1")): START + 3_600}
    assert run.counts == {"proposals_made": 1}
    assert (told.topic, told.key) == ("ai-decisions", "vigia.remediation")
    assert told.event == AIDecision(
        agent="vigia.remediation",
        decision_id=proposal.proposal_id,
        decision_type="proposal",
        decision="rollback",
        at=START,
        reference="p1",
    )


@pytest.mark.parametrize("over", ["resolved", "stale"])
def test_a_problem_that_is_over_withdraws_its_proposal(over):
    run = lane().run([Sent(problem(), START), Sent(problem(over, 2), START + 100)])
    assert proposals(run) == [("proposed", 1), ("withdrawn", 2)]
    (row,) = run.rows.values()
    assert isinstance(row, ProposalSummary)
    assert (row.status, row.version, row.at, row.why) == ("withdrawn", 2, START + 100, "The error rate is 30 %.")
    assert run.timers == {}
    assert proposals(run.run([Tick(START + 9_999)])) == [("proposed", 1), ("withdrawn", 2)]


def test_a_proposal_without_a_verdict_expires_at_its_time_whichever_tick_notices():
    run = lane(proposal_expiry=600.0).run([Sent(problem(), START), Tick(START + 599)])
    assert proposals(run) == [("proposed", 1)]
    run.run([Tick(START + 10_000)])
    assert proposals(run) == [("proposed", 1), ("expired", 2)]
    assert run.outputs[-1].event.at == START + 600
    run.run([Sent(problem("resolved", 2), START + 10_001), Tick(START + 99_999)])
    assert proposals(run) == [("proposed", 1), ("expired", 2)]


def test_a_timer_that_was_loaded_before_the_withdrawal_expires_nothing():
    run = lane().run([Sent(problem(), START), Sent(problem("resolved", 2), START + 100)])
    run.timers["expiry", key_of("shop", "p1")] = START + 3_600
    assert proposals(run.run([Tick(START + 3_600)])) == [("proposed", 1), ("withdrawn", 2)]


def test_a_problem_known_to_be_resolved_gets_no_proposal_when_its_opening_comes_late():
    assert proposals(lane().run([Sent(problem("resolved", 2), START), Sent(problem(), START + 1)])) == []


def test_a_stale_problem_gets_no_proposal_until_it_is_open():
    run = lane().run([Sent(problem("stale"), START)])
    assert (proposals(run), run.timers) == ([], {})
    assert proposals(run.run([Sent(problem("open", 2), START)])) == [("proposed", 1)]


def test_a_detector_without_an_action_leaves_its_problems_to_people():
    run = lane().run([Sent(problem(detector="something_new"), START)])
    assert (run.outputs, run.timers) == ([], {})


def test_a_verdict_is_recorded_and_nothing_acts_on_it():
    verdict = Verdict(
        proposal_id="x", proposal_version=1, service="shop", decision="deny", by="ada", at=START, reason="not now"
    )
    result = ExecutionResult(execution_id="e", service="shop", status="succeeded", at=START)
    run = lane().run([Sent(problem(), START), Sent(verdict, START), Sent(result, START)])
    (row,) = [row for row in run.rows.values() if isinstance(row, VerdictSummary)]
    assert row.verdict_id == derive_id("verdict", "shop", verdict.identity)
    assert (row.decision, row.by, row.reason) == ("deny", "ada", "not now")
    assert proposals(run) == [("proposed", 1)]


def test_the_keys_of_events_and_timers_are_announced():
    run = lane().run([Sent(problem(), START)])
    beside = {offers_key("shop"), deployed_key("shop", "production")}
    assert run.model.keys([problem()]) == {key_of("shop", "p1"), *beside}
    assert set(run.states) == {key_of("shop", "p1"), offers_key("shop")}


def test_a_state_of_another_schema_is_refused_and_rows_are_never_corrected():
    with pytest.raises(ValueError, match="schema 9"):
        lane().model.load(key_of("shop", "p1"), 9, b"")
    run = lane().run([Sent(problem(), START)])
    (row,) = run.rows.values()
    with pytest.raises(TypeError, match="corrects no rows"):
        run.model.merge(row, row)
