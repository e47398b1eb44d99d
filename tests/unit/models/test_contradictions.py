"""Labels that contradict each other leave a row, whoever says them and in whatever order; Vigia's own do not."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.guard.guarding import judgement, outcome
from tests.unit.models.laws import START, Lane, Sent
from vigia.events.ai_decisions import AIDecision
from vigia.events.deployments import Deployment
from vigia.events.feedback import OWN_SENDER
from vigia.events.figures import FEEDBACK_CONTRADICTIONS
from vigia.events.summaries import ContradictionSummary, DeploymentSummary
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments import states as deployment_states
from vigia.models.deployments.states import Answer, DeploymentState
from vigia.models.telemetry import TelemetryModel
from vigia.models.telemetry import state as telemetry_states
from vigia.models.telemetry.state import DecisionState, Said

PLANNED = Deployment(source="ci", external_id="7", service="web", scope="shop", stage="planned", at=START)


def told(failed, at=0.0, **more):
    return outcome(failed=failed, at=START + at, scope="shop", service="web", **more)


def found(lane) -> list[Any]:
    return [row for row in lane.rows.values() if isinstance(row, ContradictionSummary)]


def played(*events, model=DeploymentsModel):
    return Lane(model()).run([Sent(event, START + number) for number, event in enumerate(events)])


def test_the_later_word_of_another_sender_stands_and_both_are_shown():
    lane = played(PLANNED, told(failed=False, at=1, sender="shop-ci"), told(failed=True, at=5, sender="ada"))
    (row,) = found(lane)
    assert (row.kind, row.source, row.external_id, row.service, row.label) == (
        "outcome",
        "ci",
        "7",
        "web",
        "intervention",
    )
    assert (row.sender, row.said, row.at) == ("ada", "failed", START + 5)
    assert (row.other_sender, row.other, row.other_at) == ("shop-ci", "succeeded", START + 1)
    assert (row.stands, row.told_at) == ("failed", START + 2)
    assert lane.counts[FEEDBACK_CONTRADICTIONS] == 1


def test_an_earlier_word_that_comes_late_is_shown_and_does_not_stand():
    lane = played(PLANNED, told(failed=True, at=5), told(failed=False, at=1, sender="late"))
    (row,) = found(lane)
    assert (row.sender, row.said, row.other_sender, row.stands) == ("late", "succeeded", "ci", "failed")
    (deployment,) = [each for each in lane.rows.values() if isinstance(each, DeploymentSummary)]
    assert deployment.outcome == "failed"


def test_the_same_sender_contradicts_itself_too_and_agreeing_is_no_contradiction():
    lane = played(PLANNED, told(failed=False, at=1), told(failed=False, at=2, sender="ada"), told(failed=True, at=3))
    (row,) = found(lane)
    assert (row.sender, row.other_sender, row.other_at) == ("ci", "ada", START + 2)
    assert found(played(PLANNED, told(failed=True), told(failed=False, label="defect"))) == []


@given(st.permutations([PLANNED, told(failed=False, at=1, sender="a"), told(failed=True, at=5, sender="b")]), st.data())
def test_in_whatever_order_and_cut_they_arrive_there_is_one_and_the_last_word_stands(events, data):
    script = [Sent(event, START + 9) for event in events]
    lane = Lane(DeploymentsModel()).run(script, data.draw(st.sets(st.integers(0, 3))))
    (row,) = found(lane)
    assert {(row.sender, row.said), (row.other_sender, row.other)} == {("a", "succeeded"), ("b", "failed")}
    assert row.stands == "failed"


def test_what_vigia_corrects_of_its_own_is_not_listed_but_what_others_say_against_it_is():
    own = {"sender": OWN_SENDER, "label": "ci_status"}
    lane = played(PLANNED, told(failed=True, at=1, **own), told(failed=False, at=2, **own))
    assert found(lane) == []
    lane.run([Sent(told(failed=True, at=3, label="ci_status"), START + 9)])
    assert [(row.sender, row.other_sender) for row in found(lane)] == [("ci", OWN_SENDER)]


@pytest.mark.parametrize("decided_first", [True, False])
def test_judgements_of_one_kind_of_judge_contradict_and_the_row_names_who(decided_first):
    decision = AIDecision(agent="bot", decision_id="1", decision_type="triage", decision="close", at=START)
    said = [
        judgement(at=START + 1, by="ada"),
        judgement(at=START + 2, by="bob", judgement="incorrect"),
        judgement(at=START + 3, judge="outcome", judgement="incorrect", sender="pager"),
    ]
    lane = played(*([decision, *said] if decided_first else [*said, decision]), model=TelemetryModel)
    (row,) = found(lane)
    assert (row.kind, row.record_key, row.source, row.external_id) == ("judgement", "bot", "bot", "1")
    assert (row.label, row.sender, row.said, row.other_sender, row.other) == (
        "person",
        "bob",
        "incorrect",
        "ada",
        "correct",
    )
    assert row.stands == "incorrect"


def test_states_of_the_release_before_are_read_and_that_release_reads_ours():
    class OldAnswer(msgspec.Struct, array_like=True, frozen=True):
        failed: bool
        since: float
        said: float

    old = msgspec.msgpack.encode([True, 1.0, 2.0])
    assert msgspec.msgpack.decode(old, type=Answer) == Answer(failed=True, since=1.0, said=2.0)
    new = msgspec.msgpack.encode(Answer(failed=True, since=1.0, said=2.0, sender="ada"))
    assert msgspec.msgpack.decode(new, type=OldAnswer) == OldAnswer(failed=True, since=1.0, said=2.0)
    state = DeploymentState("ci", "7", waiting={"defect": Answer(failed=True, since=1.0, said=2.0, sender="ada")})
    key = "deployment:shop:0"
    assert deployment_states.load(key, deployment_states.SCHEMA, deployment_states.dump(state)) == state
    earlier = msgspec.msgpack.encode([None, {"person": [1.0, "correct"]}])
    assert telemetry_states.load("decision:bot:0", telemetry_states.SCHEMA, earlier) == DecisionState(
        said={"person": Said(1.0, "correct")}
    )
