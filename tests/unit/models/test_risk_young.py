"""What a team sees that is told only of failures: at first they say nothing of the others, and must not seem to.

The simulations are seeded; what they show is stated in ADR 0030.
"""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given

from tests.unit.models import cases_deployments
from tests.unit.models.laws import START, Lane, Sent, Tick
from tests.unit.models.test_deployments_model import deployment, lane_after, outcome, risks, scope_of, state_of, told_of
from vigia.events.base import HISTORY_ENVIRONMENT
from vigia.events.deployments import ChangeFeatures
from vigia.events.summaries import DeploymentSummary
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.states import SILENCE, Young
from vigia.models.deployments.young import TOLD_BY_SILENCE

DAY = 86_400.0
WEEK = 7 * DAY

IMPATIENT = cases_deployments.CASES[2]


def weeks(rate, per_day, days, told_clean=False, label="intervention"):
    """Of a team whose deployments fail at `rate`, told after a minute: the mean risk of each week, the share that
    failed, and the lane.
    """
    chance = random.Random(7)
    script: list[Sent | Tick] = []
    failures = 0
    for number in range(days * per_day):
        at = START + number * DAY / per_day
        features = ChangeFeatures(la=float(int(chance.lognormvariate(3, 1.5))), ld=5.0, nf=2.0)
        event = msgspec.structs.replace(deployment(number=number, la=None, at=at), features=features)
        script += [Tick(at), Sent(event, at)]
        failed = chance.random() < rate
        failures += failed
        if failed or told_clean:
            script.append(Sent(outcome(failed, number, at=at + 60, label=label), at + 60))
    lane = Lane(DeploymentsModel(label), reload=False).run(script)
    said = [each.event.probability for each in risks(lane)]
    week = 7 * per_day
    means = [sum(said[first : first + week]) / week for first in range(0, len(said), week)]
    return means, failures / (days * per_day), lane


@pytest.mark.parametrize(
    ("rate", "per_day", "days", "factor"),
    [
        # with one or two failures in all, most of what is said is what other projects lead to expect
        (0.03, 1, 56, 6.0),
        (0.1, 1, 56, 1.5),
        (0.4, 1, 56, 1.5),
        (0.03, 10, 42, 3.0),
        (0.1, 10, 28, 1.5),
        (0.4, 10, 28, 1.3),
        (0.03, 50, 21, 3.0),
        (0.1, 50, 14, 1.5),
        (0.4, 50, 14, 1.3),
    ],
)
def test_who_tells_only_failures_is_never_told_far_too_much_and_comes_near_the_true_rate(rate, per_day, days, factor):
    means, true, lane = weeks(rate, per_day, days)
    expected_of_all = 0.2
    assert max(means) < 1.35 * max(true, expected_of_all)
    assert true / factor < means[-1] < true * factor
    record = risks(lane)[-1].event.track_record
    assert record.base_rate is None or record.base_rate < 1.5 * true + 0.05


def test_who_tells_only_defects_has_no_runaway_in_the_90_days_before_one_can_be_clean():
    means, true, _ = weeks(0.1, 10, 49, label="defect")
    assert max(means) < 2.0 * true


def test_who_tells_only_failures_is_told_nearly_what_who_tells_all_is():
    alone, *_ = weeks(0.1, 10, 42)
    both, *_ = weeks(0.1, 10, 42, told_clean=True)
    assert max(abs(one - other) for one, other in zip(alone, both, strict=True)) < 0.08
    assert abs(alone[-1] - both[-1]) < 0.03


# when a failure is learned


def ten(*more):
    """Ten deployments at once, then what is told of them."""
    return lane_after(*(deployment(number=number) for number in range(10)), *more)


def told_here(lane):
    return scope_of(lane).told.get("intervention", (0, 0))


def test_a_failure_among_deployments_that_may_all_be_clean_is_learned_when_they_are():
    lane = ten(outcome(number=3))
    assert told_here(lane) == (0, 0)
    assert lane.rows["DeploymentSummary", deployment(number=3).deployment_id, "shop"].outcome == "failed"
    assert scope_of(lane).context.services["web"].past.failed.count == 1, "features know it at once"
    lane.run([Tick(START + 6.9 * DAY)])
    assert told_here(lane) == (0, 0)
    lane.run([Tick(START + WEEK)])
    assert told_here(lane) == (1, 9)
    assert state_of(lane, 3).lessons["intervention"].target == 1.0


def test_a_failure_that_waits_stands_whatever_is_said_after_it():
    lane = ten(outcome(number=3, at=START + 1), outcome(False, number=3, at=START + 2))
    assert told_here(lane.run([Tick(START + WEEK)])) == (1, 9)


def test_more_failures_than_were_to_be_expected_are_news_at_once():
    failures = [outcome(number=number) for number in range(8)]
    counts = [told_here(ten(*failures[:count]))[0] for count in range(9)]
    assert counts[1] == 0 < counts[-1]
    assert all(later - before in {0, 1} for before, later in pairwise(counts))
    lane = ten(*failures).run([Tick(START + WEEK)])
    assert told_here(lane) == (8, 2), "each is learned once"


def test_where_clean_outcomes_are_told_too_a_failure_is_learned_at_once():
    clean = [outcome(False, number=number) for number in range(5)]
    assert told_here(ten(*clean, outcome(number=5))) == (1, 5)


def test_recorded_history_brings_both_answers_and_waits_for_nothing():
    known = [
        msgspec.structs.replace(deployment(number=number), environment=HISTORY_ENVIRONMENT) for number in range(10)
    ]
    assert told_here(lane_after(*known, outcome(number=3))) == (1, 0)


def test_what_ci_says_waits_for_nothing():
    assert told_of(ten(outcome(number=3, label="ci_status")), "ci_status") == (1, 0)


# the track record


def test_failures_alone_are_no_track_record_until_the_others_count_as_clean():
    lane = ten(*(outcome(number=number) for number in range(8)), deployment(number=10, at=START + DAY))
    assert risks(lane)[-1].event.track_record.judged == 0
    lane.run([Tick(START + WEEK), Sent(deployment(number=11, at=START + WEEK), START + WEEK)])
    record = risks(lane)[-1].event.track_record
    # the eleventh was sent in the same moment of Kafka's time
    assert (record.judged, record.base_rate) == (11, pytest.approx(8 / 11))


# timers


def test_a_kind_with_a_shorter_waiting_time_has_a_timer_of_its_own():
    key = "deployment:shop:" + deployment().deployment_id
    assert {name: due for (kind, name), due in lane_after(deployment()).timers.items() if kind == "clean"} == {
        key: START + 90 * DAY,
        key.replace("deployment:", "silence-intervention:"): START + WEEK,
    }
    alike = Lane(DeploymentsModel(waiting_times=dict.fromkeys(TOLD_BY_SILENCE, DAY))).run([Sent(deployment(), START)])
    assert [name for kind, name in alike.timers if kind == "clean"] == [key]


def test_what_the_release_before_left_is_learned_at_its_only_timer():
    lane = lane_after(deployment(number=1), deployment(number=2))
    lane.timers = {name: due for name, due in lane.timers.items() if not name[1].startswith(SILENCE)}
    scope_of(lane).young.clear()
    for number in (1, 2):
        state_of(lane, number).young.clear()
    lane.run([Sent(outcome(number=1, label=label), START) for label in TOLD_BY_SILENCE])
    lane.run([Tick(START + 89 * DAY)])
    assert (told_of(lane), told_of(lane, "defect")) == ((1, 0), (1, 0))
    lane.run([Tick(START + 90 * DAY)])
    assert (told_of(lane), told_of(lane, "defect")) == ((1, 1), (1, 1))


def test_the_first_failure_of_a_kind_lets_silence_speak_of_older_deployments_at_the_longest_waiting_time():
    lane = lane_after(deployment(number=1)).run([Tick(START + WEEK), Sent(deployment(number=2), START + WEEK)])
    lane.run([Sent(outcome(number=2), START + WEEK), Tick(START + 90 * DAY)])
    assert told_of(lane) == (1, 1)


@given(IMPATIENT.scripts())
def test_who_is_young_no_more_is_counted_no_more(script):
    lane = Lane(IMPATIENT.make()).run(script)
    lane.run([Tick(START + 365 * DAY)])
    for key, state in lane.states.items():
        if key.startswith("scope:"):
            assert all(counted == Young() for counted in state.young.values())


def test_rows_say_at_once_what_the_model_learns_later():
    lane = ten(outcome(number=3))
    found = [each for each in lane.rows.values() if isinstance(each, DeploymentSummary) and each.outcome == "failed"]
    assert len(found) == 1
