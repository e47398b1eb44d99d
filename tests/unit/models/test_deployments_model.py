"""The deployments model: scored once, learned once a kind and answer, whatever order the events come in.

One file, since its few makers of events are used by every test; what the risk models promise is in `test_risk_laws.py`.
"""

from itertools import permutations

import msgspec
import pytest

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.effects import Changes, States
from vigia.events.feedback import AttributionCorrected, DecisionFeedback, IncidentOpened, IncidentResolved, Outcome
from vigia.events.figures import DEPLOYMENTS_SCORED, FEEDBACK_CONTRADICTIONS, OUTCOMES_LEARNED, OUTCOMES_WAITING
from vigia.events.names import MAX_NAME
from vigia.events.risk import Risk
from vigia.events.summaries import AttributionSummary, DeploymentSummary, IncidentSummary
from vigia.feeds import history
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.model import FORGET_AFTER
from vigia.models.risk import storage
from vigia.stores.sql.types import MAX_STATE_KEY

DAY = 86_400.0


def deployment(stage="planned", number=1, at=START, status=None, scope="shop", la=10.0, **fields):
    status = status if status is not None else "succeeded" if stage == "finished" else ""
    return Deployment(
        source="ci",
        external_id=str(number),
        service="web",
        scope=scope,
        stage=stage,
        status=status,
        at=at,
        features=ChangeFeatures(la=la) if la is not None else None,
        **fields,
    )


def outcome(failed=True, number=1, at=START + DAY, label="intervention", scope="shop"):
    return Outcome(source="ci", external_id=str(number), scope=scope, service="web", at=at, failed=failed, label=label)


def incident(kind=IncidentOpened, at=START, **fields):
    return kind(source="pager", external_id="i1", scope="shop", service="web", at=at, **fields)


def lane_after(*events, model=None):
    return Lane(model or DeploymentsModel()).run([Sent(event, START) for event in events])


def row(lane, kind=DeploymentSummary):
    (found,) = [each for each in lane.rows.values() if isinstance(each, kind)]
    return found


def risks(lane):
    return [output for output in lane.outputs if isinstance(output.event, Risk)]


def scope_of(lane, scope="shop"):
    return lane.states[f"scope:{scope}"]


def model_of(lane, label="intervention"):
    return scope_of(lane).models[label]


def told_of(lane, label="intervention"):
    return scope_of(lane).told[label]


def state_of(lane, number=1):
    return lane.states["deployment:shop:" + deployment(number=number).deployment_id]


# scoring


def test_a_deployment_is_scored_at_its_first_event_whatever_stage_that_is_and_only_then():
    for events in permutations([deployment("planned"), deployment("started"), deployment("finished")]):
        lane = lane_after(*events)
        (said,) = risks(lane)
        assert (said.topic, said.key, said.event.at) == ("risk", "web", events[0].at)
        assert lane.counts == {DEPLOYMENTS_SCORED: 1}
        assert row(lane).risk == said.event.probability
        assert scope_of(lane).scored == 1


def test_stages_in_any_order_make_the_same_row():
    planned = deployment("planned", at=START)
    started = deployment("started", at=START + 60)
    finished = deployment("finished", at=START + 120, version="7")
    for events in permutations([planned, started, finished]):
        found = row(lane_after(*events))
        assert (found.stage, found.status, found.version) == ("finished", "succeeded", "7")
        assert (found.planned_at, found.started_at, found.finished_at) == (START, START + 60, START + 120)


def test_the_first_time_of_a_stage_counts():
    for stage in ("planned", "started"):
        for events in permutations([deployment(stage, at=START), deployment(stage, at=START + 60)]):
            assert getattr(row(lane_after(*events)), f"{stage}_at") == START


def test_a_stage_told_again_without_an_id_is_a_repeat_only_at_the_same_time():
    told = deployment("started", at=START)
    assert deployment("started", at=START).identity == told.identity
    assert deployment("started", at=START + 60).identity != told.identity
    assert deployment("started", at=START, version="7").identity == told.identity, "other content is a conflict"
    assert deployment("planned", at=START).identity != told.identity
    ends = {deployment("finished", status=status).identity for status in ("succeeded", "failed")}
    assert len(ends) == 2
    assert deployment("started", at=START, event_id="7").identity == "7"


def test_the_latest_end_counts_when_a_tool_tries_again():
    failed = deployment("finished", at=START, status="failed")
    again = deployment("finished", at=START + 60, status="succeeded")
    for events in permutations([failed, again]):
        found = row(lane_after(*events))
        assert (found.status, found.finished_at) == ("succeeded", START + 60)


def test_what_comes_after_the_score_does_not_change_what_is_learned_from():
    scored = lane_after(deployment("planned", la=None), outcome())
    later = lane_after(deployment("planned", la=None), deployment("started", la=900.0), outcome())
    assert storage.dump(model_of(later)) == storage.dump(model_of(scored))


def test_the_risk_record_explains_its_probability():
    (said,) = risks(lane_after(deployment(number=1), outcome(), deployment(number=2, la=4_000.0)))[1:]
    log_odds = said.event.base_log_odds + sum(each.log_odds for each in said.event.contributions)
    assert said.event.probability == pytest.approx(1 / (1 + 2.718281828459045**-log_odds))
    assert said.event.contributions[0].feature == "la"
    assert said.event.contributions[0].value == 4_000
    assert said.event.learned_from == 1


def test_history_is_scored_and_learned_like_the_rest():
    lane = lane_after(deployment(environment="history"), outcome())
    assert lane.counts == {DEPLOYMENTS_SCORED: 1, OUTCOMES_LEARNED: 1}
    assert row(lane).environment == "history"


def test_scopes_learn_apart():
    lane = lane_after(deployment(), outcome(), deployment(number=2, scope="pay"))
    assert scope_of(lane, "pay").models == {}
    assert risks(lane)[1].event.learned_from == 0


def test_a_deployment_or_incident_told_under_two_scopes_is_two_whether_they_share_a_lane_or_not():
    told = {
        scope: [
            deployment(scope=scope),
            msgspec.structs.replace(incident(), scope=scope),
            deployment("finished", scope=scope),
            outcome(scope=scope),
            msgspec.structs.replace(incident(IncidentResolved, at=START + 9), scope=scope),
        ]
        for scope in ("shop", "pay")
    }
    apart = [lane_after(*events) for events in told.values()]
    shared = lane_after(*(event for pair in zip(*told.values(), strict=True) for event in pair))
    assert shared.rows == apart[0].rows | apart[1].rows
    assert shared.dumped() == dict(sorted((apart[0].dumped() | apart[1].dumped()).items()))
    assert len({each.event.identity for each in risks(shared)}) == 2
    assert shared.rejections == []


def test_the_longest_scope_leaves_a_key_that_can_be_stored():
    longest = "s" * MAX_NAME
    told = [deployment(scope=longest), msgspec.structs.replace(incident(), scope=longest)]
    assert max(map(len, DeploymentsModel().keys(told))) <= MAX_STATE_KEY


# outcomes


def test_an_outcome_is_learned_once():
    lane = lane_after(deployment(), outcome(at=START + 1), outcome(at=START + 2))
    assert lane.counts[OUTCOMES_LEARNED] == 1
    assert (model_of(lane).learned, told_of(lane)) == (1, (1, 0))
    assert (row(lane).outcome, row(lane).outcome_at) == ("failed", START + 1)


def test_each_kind_of_outcome_is_learned_by_its_own_model():
    lane = lane_after(deployment(), outcome(label="defect"), outcome(label="ci_status", failed=False))
    assert lane.counts[OUTCOMES_LEARNED] == 2
    assert scope_of(lane).told == {"defect": (1, 0), "ci_status": (0, 1)}
    assert set(scope_of(lane).models) == {"defect", "ci_status"}


def test_another_answer_replaces_the_first_and_is_learned():
    lane = lane_after(deployment(), outcome(False, at=START + 1), outcome(True, at=START + 2))
    assert lane.counts[OUTCOMES_LEARNED] == 2
    assert (told_of(lane), model_of(lane).learned) == ((1, 0), 2)
    assert (row(lane).outcome, row(lane).outcome_at) == ("failed", START + 2)


def test_a_failure_stands_for_the_model_whatever_is_said_after_it():
    failed = lane_after(deployment(), outcome(True, at=START + 1))
    taken_back = lane_after(deployment(), outcome(True, at=START + 1), outcome(False, at=START + 2))
    assert storage.dump(model_of(taken_back)) == storage.dump(model_of(failed))
    assert taken_back.counts[OUTCOMES_LEARNED] == 1
    assert row(taken_back).outcome == "succeeded"


def test_an_answer_that_was_corrected_before_it_arrived_changes_nothing():
    lane = lane_after(deployment(), outcome(True, at=START + 2), outcome(False, at=START + 1))
    assert told_of(lane) == (1, 0)
    assert row(lane).outcome == "failed"


def test_a_confirmed_answer_is_not_replaced_by_one_from_before_the_confirmation():
    lane = lane_after(
        deployment(), outcome(True, at=START + 1), outcome(True, at=START + 9), outcome(False, at=START + 5)
    )
    assert row(lane).outcome == "failed"


def test_a_failure_of_one_kind_is_shown_before_a_success_of_another():
    events = [outcome(True, at=START + 1, label="defect"), outcome(False, at=START + 2, label="ci_status")]
    for order in permutations(events):
        found = row(lane_after(deployment(), *order))
        assert (found.outcome, found.outcome_label, found.outcome_at) == ("failed", "defect", START + 1)


def test_an_outcome_before_its_deployment_waits_and_is_learned_after_the_score():
    early = lane_after(outcome(), deployment())
    assert early.counts == {OUTCOMES_WAITING: 1, DEPLOYMENTS_SCORED: 1, OUTCOMES_LEARNED: 1}
    assert risks(early)[0].event.learned_from == 0
    assert row(early) == row(lane_after(deployment(), outcome()))
    assert storage.dump(model_of(early)) == storage.dump(model_of(lane_after(deployment(), outcome())))


def test_a_waiting_outcome_makes_no_row_and_no_model():
    lane = lane_after(outcome())
    assert lane.rows == {}
    assert list(lane.states) == ["deployment:shop:" + outcome().deployment_id]
    assert lane.counts == {OUTCOMES_WAITING: 1}


def test_of_waiting_outcomes_the_latest_of_each_kind_is_kept():
    flood = [outcome(bool(turn % 2), at=START + turn, label="defect") for turn in range(1_000)]
    waiting = lane_after(*flood, outcome(label="ci_status"))
    assert len(state_of(waiting).waiting) == 2
    lane = lane_after(*flood, outcome(label="ci_status"), deployment())
    assert (told_of(lane, "defect"), model_of(lane, "defect").learned) == ((1, 0), 1)
    assert state_of(lane).waiting == {}


def test_an_outcome_under_another_scope_than_its_deployments_waits_there():
    lane = lane_after(deployment(), outcome(scope="pay"))
    assert row(lane).outcome == ""
    assert "scope:pay" not in lane.states
    assert lane.counts[OUTCOMES_LEARNED] == 0
    lane.run([Sent(deployment(scope="pay"), START)])
    assert scope_of(lane).models == {}
    assert scope_of(lane, "pay").models["intervention"].learned == 1


# which model speaks


def test_a_new_scope_predicts_the_need_for_intervention():
    (said,) = risks(lane_after(deployment()))
    assert (said.event.label, said.event.learned_from) == ("intervention", 0)
    assert said.event.probability < 0.5


def taught(label, answers, first=100):
    for number, failed in enumerate(answers, first):
        yield deployment(number=number)
        yield outcome(failed, number=number, label=label)


def test_the_kind_speaks_that_has_most_of_its_rarer_answer():
    one_sided = taught("intervention", [True] * 9, first=100)
    both = taught("ci_status", [True, True, False, False, False], first=200)
    lane = lane_after(*one_sided, *both, deployment())
    assert risks(lane)[-1].event.label == "ci_status"
    assert risks(lane)[-1].event.learned_from == 5
    assert row_of(lane, 1).model.endswith("/ci_status")


def row_of(lane, number):
    told = deployment(number=number)
    return lane.rows["DeploymentSummary", told.deployment_id, told.scope]


def test_a_configured_kind_always_speaks():
    lane = lane_after(*taught("ci_status", [True, False]), deployment(), model=DeploymentsModel("defect"))
    assert {each.event.label for each in risks(lane)} == {"defect"}


# incidents and judgements


def test_an_incident_in_any_order_makes_the_same_row():
    opened = incident(at=START, severity="P1", title="Down")
    resolved = incident(IncidentResolved, at=START + 60)
    for events in permutations([opened, resolved, incident(AttributionCorrected, by="ada")]):
        found = row(lane_after(*events), IncidentSummary)
        assert (found.opened_at, found.resolved_at, found.severity, found.title) == (START, START + 60, "P1", "Down")


def test_an_incident_that_opens_again_is_not_resolved():
    events = [
        incident(),
        incident(IncidentResolved, at=START + 60),
        incident(at=START + 90, severity="P0"),
    ]
    for order in permutations(events):
        found = row(lane_after(*order), IncidentSummary)
        assert (found.opened_at, found.resolved_at, found.severity) == (START, None, "P0")


def test_an_incident_that_opens_again_needs_no_id_to_be_another_event():
    assert incident(at=START).identity == incident(at=START, title="Down").identity
    assert incident(at=START).identity != incident(at=START + 90).identity
    assert incident(at=START + 90, event_id="2").identity == "2"


def test_corrections_alone_make_no_incident_but_are_kept_and_counted():
    lane = lane_after(incident(AttributionCorrected, by="ada"), incident(AttributionCorrected, by="bob"))
    assert {(type(row), row.by) for row in lane.rows.values()} == {
        (AttributionSummary, "ada"),
        (AttributionSummary, "bob"),
    }
    (state,) = lane.states.values()
    assert state.corrections == 2


def test_feedback_on_a_decision_is_sent_on_to_its_agent():
    feedback = DecisionFeedback(agent="bot", decision_id="1", judgement="correct", judge="person", at=START)
    lane = lane_after(feedback)
    assert [(each.topic, each.key, each.event) for each in lane.outputs] == [("ai-decisions", "bot", feedback)]
    assert lane.states == {}


# what a step relies on


def test_every_state_that_changes_is_put():
    lane = Lane(DeploymentsModel())
    for event in [
        outcome(),
        deployment(),
        outcome(False),
        deployment("started"),
        outcome(at=START + 9 * DAY),
        incident(),
    ]:
        before = lane.dumped()
        states = States({key: lane.states.get(key) for key in lane.model.keys([event])})
        lane.model.apply([event], [START], states, Changes())
        lane.states |= {key: state for key, state in states.all().items() if state is not None}
        changed = {key for key, body in lane.dumped().items() if before.get(key) != body}
        assert changed <= states.changed


# growth


def test_a_deployment_is_forgotten_after_half_a_year_without_events_by_the_lanes_clock():
    old = deployment(at=1.0)
    told = outcome(at=2.0)
    lane = Lane(DeploymentsModel()).run([Sent(old, START), Tick(START + FORGET_AFTER - 1)])
    lane.run([Sent(told, START + 10), Tick(START + FORGET_AFTER + 9)])
    assert state_of(lane)
    lane.run([Tick(START + FORGET_AFTER + 10)])
    assert list(lane.states) == ["scope:shop"]
    assert row(lane).outcome == "failed"
    assert lane.timers == {}


def test_incidents_and_waiting_outcomes_are_forgotten_too():
    lane = Lane(DeploymentsModel(forget_after=60)).run(
        [Sent(incident(), START), Sent(outcome(), START), Tick(START + 60)]
    )
    assert list(lane.states) == ["scope:shop"]


def test_a_deployments_state_is_small():
    full = ChangeFeatures(**dict.fromkeys(ChangeFeatures.__struct_fields__, 0.123456789))
    event = msgspec.structs.replace(deployment(), features=full, source="https://ci.example/team/project/pipelines")
    lane = lane_after(event, *(outcome(label=label) for label in ("intervention", "ci_status", "defect")))
    lane.run([Sent(msgspec.structs.replace(event, stage="started"), START)])
    assert all(len(body) < 1_000 for key, body in lane.dumped().items() if key.startswith("deployment:"))


def test_a_state_of_another_schema_or_cut_short_is_refused():
    lane = lane_after(deployment(), outcome(), incident())
    for key, body in lane.dumped().items():
        for schema in (1, 4):
            with pytest.raises(ValueError, match=f"schema {schema}; this version reads 2 and 3"):
                lane.model.load(key, schema, body)
        with pytest.raises(ValueError, match=r"not whole|not a stored"):
            lane.model.load(key, 3, body[:-1])


# real history


def test_the_recorded_history_teaches_its_scope():
    lane = Lane(DeploymentsModel()).run([Sent(sent.event, START) for sent in history.events("test")])
    # 31 changes were told as clean, and later as defective
    assert lane.counts == {DEPLOYMENTS_SCORED: 600, OUTCOMES_LEARNED: 631, FEEDBACK_CONTRADICTIONS: 31}
    assert lane.rejections == []
    scope = scope_of(lane, history.PROJECT)
    assert (scope.told[history.LABEL], scope.models[history.LABEL].learned) == ((117, 483), 631)
    rows = [each for each in lane.rows.values() if isinstance(each, DeploymentSummary)]
    failed, clean = (
        [each.risk or 0.0 for each in rows if each.outcome == answer] for answer in ("failed", "succeeded")
    )
    pairs = [(risky > safe) + (risky == safe) / 2 for risky in failed for safe in clean]
    assert sum(pairs) / len(pairs) > 0.7
