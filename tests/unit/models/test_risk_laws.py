"""What the risk models promise inside the stream, tried through the deployments model on whatever may come."""

import math
import time
from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.models import cases_deployments
from tests.unit.models.laws import START, Lane, Sent, Tick
from tests.unit.models.test_deployments_model import deployment, lane_after, outcome, risks, scope_of, state_of, told_of
from vigia.events.deployments import ChangeFeatures
from vigia.events.drift import Drift
from vigia.events.effects import Changes, States
from vigia.events.feedback import IncidentOpened, IncidentResolved
from vigia.events.figures import DRIFT_ALARMS, OUTCOMES_LEARNED
from vigia.events.risk import Risk
from vigia.feeds import history
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.model import WAITING_TIMES
from vigia.models.deployments.scoring import untaught
from vigia.models.risk import storage
from vigia.models.risk.advice import LEAST_LINES, advise
from vigia.models.risk.catalog import FEATURES, POSITION
from vigia.models.risk.policy import ErrorBudget, OpenIncident, Policy, SchemaMigration

CASE = cases_deployments.CASES[0]
DAY = 86_400.0
OFF = Policy(
    open_incident=OpenIncident(enabled=False),
    schema_migration=SchemaMigration(enabled=False),
    error_budget=ErrorBudget(enabled=False),
)


# nothing is known before its time, and nothing but the record depends on the policy


@given(CASE.scripts(), st.data())
def test_with_the_future_cut_off_the_same_is_said(script, data):
    cut = data.draw(st.integers(0, len(script)))
    whole = [output.event for output in Lane(CASE.make()).run(script).outputs]
    before = [output.event for output in Lane(CASE.make()).run(script[:cut]).outputs]
    assert before == whole[: len(before)]


@given(CASE.scripts())
def test_no_state_row_or_timer_depends_on_the_policy(script):
    strict, none = Lane(DeploymentsModel()).run(script), Lane(DeploymentsModel(policy=OFF)).run(script)
    assert strict.dumped() == none.dumped()
    assert (strict.rows, strict.timers, strict.counts) == (none.rows, none.timers, none.counts)
    without = [msgspec.structs.replace(each.event, gates=[]) for each in risks(strict)]
    assert without == [each.event for each in risks(none)]


@given(CASE.scripts())
def test_what_is_said_adds_up_and_lies_where_it_must(script):
    for said in (output.event for output in risks(Lane(CASE.make()).run(script))):
        low, high = said.interval
        assert 0 < low <= said.probability <= high < 1
        assert said.decision
        log_odds = said.base_log_odds + sum(push.log_odds for push in said.contributions)
        assert said.probability == pytest.approx(1 / (1 + math.exp(-log_odds)))
        assert all(0 < each.probability < said.probability for each in said.advice)


numbers = st.floats(min_value=0, max_value=1.7e308) | st.sampled_from([0.0, 1e-300, 1e300])
everything = st.dictionaries(st.sampled_from(ChangeFeatures.__struct_fields__), numbers)


@given(st.lists(st.tuples(everything, st.booleans()), max_size=12), st.booleans())
@settings(max_examples=50)
def test_huge_constant_and_missing_features_give_numbers(changes, constant):
    lane = Lane(DeploymentsModel())
    for number, (features, failed) in enumerate(changes):
        event = deployment(number=number, la=None)
        known = ChangeFeatures(**(changes[0][0] if constant else features))
        lane.run([Sent(msgspec.structs.replace(event, features=known), START), Sent(outcome(failed, number), START)])
    for output in risks(lane):
        said = output.event
        assert all(map(math.isfinite, [said.probability, *said.interval, said.base_log_odds]))
        assert all(math.isfinite(push.log_odds) for push in said.contributions)


def test_scoring_never_changes_a_model_learning_does():
    lane = lane_after(deployment(), outcome())
    before = storage.dump(scope_of(lane).models["intervention"])
    lane.run([Sent(deployment(number=number, la=9.0 * number), START) for number in range(2, 30)])
    assert storage.dump(scope_of(lane).models["intervention"]) == before


@pytest.mark.parametrize("labels", list(permutations(("intervention", "defect", "ci_status"))))
def test_a_restart_between_any_two_events_changes_nothing_whichever_kind_was_told_first(labels):
    told = [deployment(), *(outcome(label=label) for label in labels), deployment(number=2), outcome(number=2)]
    script = [Sent(event, START) for event in told]
    kept, reloaded = (Lane(DeploymentsModel(), reload=each).run(script, range(len(told))) for each in (False, True))
    assert kept.dumped() == reloaded.dumped()


# late labels


def silent(lane, days):
    return lane.run([Tick(START + days * DAY)])


def with_failures_told():
    return lane_after(deployment(number=1), outcome(number=1), deployment(number=2))


def test_what_nobody_complained_of_is_learned_as_clean_when_the_waiting_time_has_passed():
    lane = silent(with_failures_told(), 6.9)
    assert told_of(lane) == (1, 0)
    assert told_of(silent(lane, 7)) == (1, 1)
    assert lane.counts[OUTCOMES_LEARNED] == 2
    assert lane.rows["DeploymentSummary", deployment(number=2).deployment_id, "shop"].outcome == "", "nobody told it"


def test_the_waiting_time_can_be_set():
    lane = Lane(DeploymentsModel(waiting_times={"intervention": 60.0, "defect": 60.0}))
    lane.run([Sent(event, START) for event in (deployment(), outcome(), deployment(number=2))])
    assert told_of(lane.run([Tick(START + 60)])) == (1, 1)


def test_silence_says_nothing_of_a_kind_of_which_no_failure_was_ever_told():
    lane = silent(lane_after(deployment(), deployment(number=2), outcome(False, number=2)), 90)
    assert told_of(lane) == (0, 1)
    quiet_ci = lane_after(deployment(), outcome(label="ci_status"), deployment(number=2))
    assert told_of(silent(quiet_ci, 90), "ci_status") == (1, 0)


def test_a_failure_after_clean_is_learned_as_such_and_counts_as_nothing_else_would():
    late = silent(with_failures_told(), 91)
    late.run([Sent(outcome(number=2, at=START + 100 * DAY), START + 100 * DAY)])
    assert told_of(late) == (2, 0)
    assert late.counts[OUTCOMES_LEARNED] == 3
    service = scope_of(late).context.services["web"]
    assert (service.judged, service.failures) == (2, 2)
    assert state_of(late, 2).lessons["intervention"].target == 1.0
    # to first order the model is where the failure alone would have brought it
    direct = with_failures_told().run([Sent(outcome(number=2), START)])
    apart = [scope_of(each).models["intervention"].mean for each in (late, direct)]
    assert abs(apart[0] - apart[1]).max() < 0.01


def test_an_answer_before_the_waiting_time_is_over_leaves_nothing_to_learn():
    lane = with_failures_told().run([Sent(outcome(False, number=2), START)])
    assert lane.counts[OUTCOMES_LEARNED] == 2
    assert silent(lane, 90).counts[OUTCOMES_LEARNED] == 2
    assert WAITING_TIMES == {"intervention": 7 * DAY, "defect": 90 * DAY}


# how often it was right


def test_the_track_record_is_of_the_service_and_of_what_was_known_before():
    events = []
    for number in range(10):
        events += [deployment(number=number), outcome(number < 4, number=number)]
    said = [output.event.track_record for output in risks(lane_after(*events, deployment(number=99)))]
    assert (said[0].judged, said[0].right) == (0, None)
    assert [each.judged for each in said] == list(range(11))
    assert (said[-1].judged, said[-1].base_rate) == (10, 0.4)
    other = msgspec.structs.replace(deployment(number=100), service="till")
    (last,) = risks(lane_after(*events, other))[-1:]
    assert last.event.track_record.judged == 0


def test_right_means_that_the_plain_answer_proved_true():
    lane = lane_after(*(event for number in range(30) for event in (deployment(number=number), outcome(True, number))))
    right = sum(each.event.probability > each.event.usual for each in risks(lane))
    assert scope_of(lane).context.services["web"].right == right
    assert 0 < right < 30


# gates, advice


def test_an_incident_closes_the_gate_until_it_is_resolved():
    def incident(kind, at):
        severity = {"severity": "P1"} if kind is IncidentOpened else {}
        return kind(source="pager", external_id="i", scope="shop", service="web", at=at, **severity)

    lane = lane_after(
        deployment(number=1),
        incident(IncidentOpened, START),
        deployment(number=2, at=START + 5),
        incident(IncidentResolved, START + 9),
        deployment(number=3, at=START + 10),
    )
    assert [[gate.name for gate in output.event.gates] for output in risks(lane)] == [[], ["open_incident"], []]


def test_advice_names_only_what_can_be_changed():
    lane = Lane(DeploymentsModel())
    for number in range(60):
        failed = bool(number % 2)
        known = ChangeFeatures(la=900.0 if failed else 3.0, tests_passed_pct=60.0 if failed else 100.0, exp=5.0)
        event = msgspec.structs.replace(deployment(number=number), features=known)
        lane.run([Sent(event, START), Sent(outcome(failed, number), START)])
    known = ChangeFeatures(la=900.0, tests_passed_pct=60.0, exp=5.0, age=3.0, ndev=4.0)
    lane.run([Sent(msgspec.structs.replace(deployment(number=999), features=known), START)])
    said = risks(lane)[-1].event
    assert {each.feature for each in said.advice} == {"la", "tests_passed_pct"}
    assert [each.probability for each in said.advice] == sorted(each.probability for each in said.advice)
    words = {each.feature: each.words for each in said.advice}
    assert words["la"].startswith("deploy it in two parts of half its size, so that a failure takes less with it; ")
    assert words["la"].endswith("the probability is that of each part")
    assert words["tests_passed_pct"] == "mend the failing tests (now 60 percent pass)"


def test_nobody_is_advised_to_part_what_is_small():
    for lines in (2.0, 49.0, 50.0, 5_000.0):
        values: list[float | None] = [None] * len(FEATURES)
        values[POSITION["la"]] = lines
        parted = any(each.feature == "la" for each in advise(untaught(), values, 1.0))
        assert parted == (lines >= LEAST_LINES)


# drift


def alarms(lane):
    return [output.event for output in lane.outputs if isinstance(output.event, Drift)]


def many(count, first=0, **features):
    for number in range(first, first + count):
        yield msgspec.structs.replace(deployment(number=number, la=None), features=ChangeFeatures(**features))


def test_an_input_that_moves_comes_or_goes_is_told_once_with_what_changed():
    lane = lane_after(*many(600, nf=2.0, la=10.0), *many(600, first=600, nf=40.0), *many(600, first=1_200, nf=40.0))
    told = {(each.kind, each.feature): each for each in alarms(lane)}
    # the size of a change comes from its lines, so it goes with them
    assert set(told) == {("input", "nf"), ("missing", "la")}
    assert len(alarms(lane)) == 2 == lane.counts[DRIFT_ALARMS]
    assert told["missing", "la"].why.startswith("lines added: ")
    assert told["input", "nf"].before < told["input", "nf"].now
    assert {each.number for each in alarms(lane)} == {0, 1}
    assert len({each.identity for each in alarms(lane)}) == 2


def test_a_model_that_is_more_often_wrong_than_it_says_is_told_of():
    events = []
    for number in range(900):
        # after 600 deployments nearly everything fails, however small
        events += [deployment(number=number), outcome(number % 5 == 0 or number > 600, number=number)]
    (said,) = alarms(lane_after(*events))
    assert (said.kind, said.label) == ("loss", "intervention")
    assert said.now > said.before
    assert said.why.startswith("the model for intervention is more often wrong than it says")


def test_the_recorded_history_raises_no_alarm():
    assert alarms(Lane(DeploymentsModel()).run([Sent(sent.event, START) for sent in history.events("test")])) == []


# size and speed


def test_the_state_of_a_busy_scope_is_small():
    lane = Lane(DeploymentsModel()).run([Sent(sent.event, START) for sent in history.events("test")])
    assert len(lane.dumped()["scope:sentry"]) < 16_000


def test_a_score_with_all_that_is_said_takes_less_than_a_millisecond():
    lane = Lane(DeploymentsModel(), reload=False).run([Sent(sent.event, START) for sent in history.events("test")])
    fresh = [sent.event for sent in history.events("again") if sent.topic == "deployments"][:200]
    states = {key: lane.states.get(key) for key in lane.model.keys(fresh)}
    best = min(_seconds(lane, event, states) for event in fresh)
    assert best < 0.001


def _seconds(lane, event, states):
    loaded, changes = States({key: states[key] for key in lane.model.keys([event])}), Changes()
    began = time.process_time()
    lane.model.apply([event], [START], loaded, changes)
    took = time.process_time() - began
    assert isinstance(changes.outputs[0].event, Risk)
    return took
