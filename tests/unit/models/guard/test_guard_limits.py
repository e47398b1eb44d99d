"""A limit a day: counted by Kafka time, for each entry and team, whatever the order; the surplus is refused, nobody
else is.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.guard.guarding import guard, incident, judgement, outcome
from tests.unit.models.laws import Lane, Sent
from vigia.events.ai_decisions import AIDecision
from vigia.events.deployments import Deployment
from vigia.events.effects import Changes, States
from vigia.events.figures import FEEDBACK_OVER_LIMIT, OUTCOMES_LEARNED
from vigia.events.summaries import DeploymentSummary, SenderSurplusSummary
from vigia.models.deployments import DeploymentsModel
from vigia.models.guard.model import SENDER, GuardedModel, Said
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.remediation.state import ProblemState, key_of
from vigia.models.telemetry import TelemetryModel

DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2
RULES = {"sender": {"shop": {"a_day": 3}, "free": {}, "all": {"names": ["bot-*"], "a_day": 2}}}


def deployments(rules=RULES):
    model = DeploymentsModel()
    return Lane(GuardedModel(model, guard(rules), counted_by="scope", services_of=model.services_of))


def told(number, sender="shop", scope="shop", **more):
    return outcome(external_id=str(number), sender=sender, scope=scope, **more)


def surpluses(lane):
    return [row for row in lane.rows.values() if isinstance(row, SenderSurplusSummary)]


@given(st.permutations([("shop", n) for n in range(6)] + [("free", n) for n in range(6, 12)]), st.data())
def test_in_any_order_and_any_cut_as_many_count_as_may_and_all_of_the_others(order, data):
    script = [Sent(told(number, sender), NOON) for sender, number in order]
    cuts = data.draw(st.sets(st.integers(0, len(script))))
    lane = deployments().run(script, cuts)
    refused = [order[index][0] for index, _reason in lane.rejections]
    assert refused == ["shop"] * 3
    assert {reason for _index, reason in lane.rejections} == {"over_limit"}
    waiting = [state for key, state in lane.states.items() if key.startswith("deployment:")]
    assert len(waiting) == 9
    assert lane.counts[FEEDBACK_OVER_LIMIT] == 3


def test_a_new_day_by_kafka_time_begins_anew_whatever_time_the_event_names():
    lane = deployments().run([Sent(told(n, at=NOON + n), NOON) for n in range(5)])
    lane.apply([Sent(told(7, at=NOON), NOON + DAY / 2)])
    lane.apply([Sent(told(8, at=NOON + DAY), NOON + DAY / 2 - 1)])
    assert [index for index, _ in lane.rejections] == [3, 4]
    (said,) = [state for key, state in lane.states.items() if key.startswith(SENDER)]
    assert (said.day, said.taken, said.surplus) == (20_001, 2, 0)


def test_each_team_has_its_own_count():
    lane = deployments().run([Sent(told(n, scope=f"team-{n % 2}"), NOON) for n in range(8)])
    assert [index for index, _ in lane.rejections] == [6, 7]


def test_names_that_one_entry_matches_share_its_limit():
    lane = deployments().run([Sent(told(n, f"bot-{n}"), NOON) for n in range(5)])
    assert [index for index, _ in lane.rejections] == [2, 3, 4]
    assert len([key for key in lane.states if key.startswith(SENDER)]) == 1


def test_the_surplus_teaches_nothing_and_stands_in_a_row():
    plan = [
        Deployment(source="ci", external_id=str(n), service="web", scope="shop", stage="planned", at=NOON)
        for n in range(5)
    ]
    lane = deployments().run([Sent(each, NOON) for each in plan])
    # of a kind of which no failure waits for others
    lane.apply([Sent(told(n, service="web", at=NOON, label="ci_status"), NOON) for n in range(5)])
    assert lane.counts[OUTCOMES_LEARNED] == 3
    found = {row.external_id: row.outcome for row in lane.rows.values() if isinstance(row, DeploymentSummary)}
    assert found == {"0": "failed", "1": "failed", "2": "failed", "3": "", "4": ""}
    assert surpluses(lane) == [
        SenderSurplusSummary(
            day=20_000, counted_by="scope", record_key="shop", sender="[sender.shop]", a_day=3, surplus=2
        )
    ]


def test_the_first_of_a_day_is_said_once_for_people():
    model = GuardedModel(DeploymentsModel(), guard(RULES), counted_by="scope")
    said = [[told(10 * day + n) for n in range(6)] for day in range(2)]
    states = States[Any](dict.fromkeys(model.keys([each for day in said for each in day])))
    warned: list[str] = []
    for day, events in enumerate(said):
        for event in events:
            changes = Changes()
            model.apply([event], [NOON + day * DAY], states, changes)
            warned += changes.warnings
    assert (
        warned
        == ["[sender.shop] has said more than 3 things a day of scope 'shop': the rest of the day becomes dead letters"]
        * 2
    )


def test_a_judgement_counts_where_its_decision_is_and_only_there():
    said = [Sent(judgement(decision_id=str(n), sender="shop"), NOON) for n in range(5)]
    passing = deployments().run(said)
    assert passing.rejections == []
    assert len(passing.outputs) == 5
    lane = Lane(GuardedModel(TelemetryModel(), guard(RULES), counted_by="agent")).run(said)
    assert [index for index, _ in lane.rejections] == [3, 4]
    (key,) = [key for key in lane.states if key.startswith(SENDER)]
    assert lane.model.record_key(key) == "bot"


def test_what_the_model_refuses_itself_keeps_its_place_behind_a_surplus():
    first = AIDecision(agent="bot", decision_id="9", decision_type="triage", decision="close", at=NOON)
    other = msgspec.structs.replace(first, decision="open")
    said = [judgement(decision_id=str(n), sender="shop") for n in range(4)]
    lane = Lane(GuardedModel(TelemetryModel(), guard(RULES), counted_by="agent"))
    lane.run([Sent(each, NOON) for each in (*said, first, other)])
    assert lane.rejections == [(3, "over_limit"), (5, "conflicting_id")]


def test_refusals_come_in_the_order_of_the_records_whoever_refuses():
    first = AIDecision(agent="bot", decision_id="9", decision_type="triage", decision="close", at=NOON)
    other = msgspec.structs.replace(first, decision="open")
    said = [judgement(decision_id=str(n), sender="shop") for n in range(4)]
    lane = Lane(GuardedModel(TelemetryModel(), guard(RULES), counted_by="agent"))
    lane.run([Sent(each, NOON) for each in (first, other, *said)])
    assert lane.rejections == [(1, "conflicting_id"), (5, "over_limit")]


def test_the_count_lies_in_the_lane_of_its_team_or_agent_whatever_they_are_called():
    model = GuardedModel(DeploymentsModel(), guard(RULES), counted_by="scope")
    for scope in ("shop", "pay: EU", "sender:x"):
        (key,) = [key for key in model.keys([incident(sender="shop", scope=scope)]) if key.startswith(SENDER)]
        assert model.record_key(key) == scope


@pytest.mark.parametrize("body", [b"", b"\xc0", b"\x93\x01\x02"])
def test_a_count_that_is_not_whole_is_refused(body):
    model = GuardedModel(DeploymentsModel(), guard(RULES), counted_by="scope")
    with pytest.raises(ValueError, match="is not whole"):
        model.load(f"{SENDER}shop:0", 2, body + b"\xc1")


def bound():
    return deployments({"sender": {"web-team": {"services": ["web"]}}})


@pytest.mark.parametrize("cuts", [(), (1,)])
def test_who_may_speak_of_one_service_may_not_label_anothers_deployment_under_its_name(cuts):
    planned = Deployment(source="ci", external_id="7", service="till", scope="shop", stage="planned", at=NOON)
    said = told(7, "web-team", service="web", at=NOON)
    lane = bound().run([Sent(planned, NOON), Sent(said, NOON)], cuts)
    assert lane.rejections == [(1, "not_allowed")]
    assert lane.counts[OUTCOMES_LEARNED] == 0
    mine = msgspec.structs.replace(planned, external_id="8", service="web")
    lane = bound().run([Sent(mine, NOON), Sent(msgspec.structs.replace(said, external_id="8"), NOON)], cuts)
    assert lane.rejections == []
    assert lane.counts[OUTCOMES_LEARNED] == 1


def test_nor_resolve_anothers_incident():
    opened = incident(service="till", scope="shop", sender="pager", at=NOON)
    again = incident(service="web", scope="shop", sender="web-team", severity="P3", at=NOON + 5)
    assert bound().run([Sent(opened, NOON), Sent(again, NOON + 5)]).rejections == [(1, "not_allowed")]


def test_a_guarded_model_writes_the_form_of_the_release_before_if_it_has_one(monkeypatch):
    model, key = RemediationModel(RemediationConfig()), key_of("shop", "p1")
    guarded: Any = GuardedModel(model, guard(RULES))
    state = ProblemState(3, part_of=("p2",))
    monkeypatch.setattr(model, "dump_previous", lambda *_: b"as before")
    assert guarded.dump_previous(key, state) == b"as before" != model.dump(key, state)
    count = Said(20_000, 3, 1)
    assert guarded.load(f"{SENDER}shop:x", 1, guarded.dump_previous(f"{SENDER}shop:x", count)) == count
    assert not hasattr(GuardedModel(TelemetryModel(), guard(RULES), counted_by="agent"), "dump_previous")
