"""What users of other tools complain about, each shown not to happen here; and why a metric is empty."""

from itertools import pairwise

import pytest

from tests.unit.models.dora.conftest import DAY, NOON
from vigia.events import dora
from vigia.events.deployments import Commit, Deployment
from vigia.events.feedback import AttributionCorrected, IncidentOpened, IncidentResolved, Outcome

HOUR = 3600.0
LEAD, FREQUENCY, RECOVERY, FAIL_RATE, REWORK = (
    "change_lead_time",
    "deployment_frequency",
    "failed_deployment_recovery_time",
    "change_fail_rate",
    "deployment_rework_rate",
)


def deployed(number, at=NOON, **fields):
    given = {"service": "web", "scope": "shop", "stage": "finished", "status": "succeeded"} | fields
    return Deployment(source="ci", external_id=str(number), at=at, **given)


def opened(number, at=NOON + HOUR, **fields):
    given = {"service": "web", "scope": "shop"} | fields
    return IncidentOpened(source="pager", external_id=str(number), at=at, **given)


def resolved(number, at):
    return IncidentResolved(source="pager", external_id=str(number), service="web", scope="shop", at=at)


def corrected(number, to, at=NOON + 2 * HOUR, **fields):
    return AttributionCorrected(
        source="pager", external_id=str(number), service="web", scope="shop", at=at, by="ada", deployment=to, **fields
    )


def commits(*ages, at=NOON, start=0):
    return [Commit(sha=f"{at}-{start + place}", committed_at=at - age) for place, age in enumerate(ages)]


def test_a_services_first_deployment_does_not_count_the_years_before_it_as_waiting(metric):
    years = [900 * DAY, 500 * DAY, 300 * DAY]
    events = [
        deployed(1, NOON - DAY, commits=commits(*years, at=NOON - DAY)),
        deployed(2, NOON, commits=commits(2 * HOUR, 4 * HOUR)),
    ]
    lead = metric(LEAD, events)
    assert (lead.value, lead.n, lead.excluded) == (2 * HOUR, 2, {dora.FIRST_DEPLOYMENT: 3})
    assert metric(FREQUENCY, events).n == 2


def test_what_the_first_deployment_is_does_not_depend_on_the_window(metric):
    events = [
        deployed(1, NOON - DAY, commits=commits(900 * DAY, at=NOON - DAY)),
        deployed(2, NOON, commits=commits(HOUR)),
    ]
    lead = metric(LEAD, events, since=NOON - HOUR)
    assert (lead.value, lead.n, lead.excluded) == (HOUR, 1, {})


def test_a_commit_that_is_deployed_again_after_a_rollback_counts_when_it_first_arrived(metric):
    brought = commits(HOUR)
    events = [
        deployed(0, NOON - DAY),
        deployed(1, NOON, commits=brought),
        deployed(2, NOON + HOUR, kind="rollback"),
        deployed(3, NOON + 5 * HOUR, commits=brought),
    ]
    lead = metric(LEAD, events)
    assert (lead.value, lead.n) == (HOUR, 1)


def test_however_many_incidents_a_deployment_caused_it_failed_once(metric):
    events = [deployed(1), *(opened(number, NOON + number) for number in range(1, 8))]
    rate = metric(FAIL_RATE, events)
    assert (rate.count, rate.n, rate.value) == (1, 1, 1.0)


def test_an_incident_that_names_several_deployments_counts_once_for_the_latest_before_it(metric):
    events = [
        deployed(1, NOON - 3 * HOUR),
        deployed(2, NOON - HOUR),
        deployed(3, NOON + 5 * HOUR),
        opened(1, NOON, deployments=[("ci", "1"), ("ci", "2"), ("ci", "3")]),
    ]
    rate = metric(FAIL_RATE, events)
    assert (rate.count, rate.n) == (1, 3)
    assert metric(FAIL_RATE, events, since=NOON - 2 * HOUR, until=NOON).count == 1


def test_the_fail_rate_never_passes_100_percent_with_failed_rollouts(metric):
    events = [
        deployed(1, status="failed"),
        opened(1, deployments=[("ci", "1")]),
        deployed(2, NOON + 3 * HOUR, status="failed"),
    ]
    rate = metric(FAIL_RATE, events)
    assert (rate.count, rate.n, rate.excluded) == (1, 1, {dora.FAILED: 1})


@pytest.mark.parametrize("link", [[], [("ci", "5")]])
def test_links_do_not_depend_on_the_window_so_parts_add_up_to_the_whole(metric, link):
    events = [deployed(number, NOON + number * 7 * HOUR) for number in range(12)]
    events += [opened(number, NOON + number * 7 * HOUR + 6.9 * HOUR, deployments=link) for number in range(0, 12, 3)]
    whole = metric(FAIL_RATE, events)
    cuts = [NOON - 30 * DAY, NOON + 10 * HOUR, NOON + 41.5 * HOUR, NOON + 42 * HOUR, NOON + 30 * DAY]
    parts = [metric(FAIL_RATE, events, since=one, until=other) for one, other in pairwise(cuts)]
    assert whole.count == (1 if link else 4)
    assert sum(part.count or 0 for part in parts) == whole.count
    assert sum(part.n for part in parts) == whole.n


def test_a_link_is_heard_however_much_later_the_incident_comes(metric):
    events = [deployed(1), opened(1, NOON + 20 * DAY, deployments=[("ci", "1")])]
    assert metric(FAIL_RATE, events, since=NOON - DAY, until=NOON + DAY).count == 1


def test_a_person_corrects_who_caused_an_incident_and_both_statements_are_kept(metric, deliveries):
    events = [
        deployed(1, NOON - 5 * HOUR),
        deployed(2, NOON),
        opened(1, deployments=[("ci", "2")]),
        resolved(1, NOON + 3 * HOUR),
        corrected(1, ("ci", "1"), reason="the leak began earlier"),
    ]
    early, late = ({"since": NOON - DAY, "until": NOON}, {"since": NOON})
    assert [metric(FAIL_RATE, events, **each).count for each in (early, late)] == [1, 0]
    withdrawn = [*events, corrected(1, None, NOON + 4 * HOUR)]
    assert metric(FAIL_RATE, withdrawn).count == 0
    assert metric(RECOVERY, withdrawn).excluded == {dora.CORRECTED_TO_NONE: 1}
    with deliveries.summaries._database.dialect.engine.connect() as connection:
        rows = connection.exec_driver_sql('SELECT kind, "by", reason FROM attributions ORDER BY at').all()
    assert [tuple(row) for row in rows] == [
        ("linked", "pager", ""),
        ("corrected", "ada", "the leak began earlier"),
        ("corrected", "ada", ""),
    ]


def test_rework_is_what_names_its_incident_or_began_last_while_it_was_open(metric):
    events = [
        deployed(1, NOON - HOUR),
        opened(1, NOON),
        deployed(2, NOON + HOUR),
        deployed(3, NOON + 2 * HOUR),
        resolved(1, NOON + 3 * HOUR),
        deployed(4, NOON + 9 * HOUR, resolves=[("pager", "1")]),
        deployed(5, NOON + 10 * HOUR, kind="rollback", resolves=[("pager", "1")]),
    ]
    rework = metric(REWORK, events)
    assert (rework.count, rework.n, rework.excluded) == (2, 4, {dora.ROLLBACK: 1})


def test_people_say_that_a_deployment_needed_intervention_without_any_incident(metric):
    events = [
        deployed(1),
        Outcome(source="ci", external_id="1", scope="shop", at=NOON + 5, failed=True, label="intervention"),
    ]
    assert metric(FAIL_RATE, events).count == 1
    assert metric(RECOVERY, events).excluded == {dora.NO_INCIDENT: 1}


EMPTY = {
    "nothing": ([], {LEAD: "ever told", FREQUENCY: "ever told", RECOVERY: "no resolved incident", REWORK: "ever told"}),
    "staging": ([deployed(1, environment="staging")], {FREQUENCY: "went to staging", FAIL_RATE: "another environment"}),
    "planned": ([deployed(1, stage="planned", status="")], {FREQUENCY: "1 deployments that were planned or started"}),
    "before": ([deployed(1, NOON - 200 * DAY)], {FREQUENCY: "the first ever did on", FAIL_RATE: "in this window"}),
    "first": ([deployed(1, commits=commits(HOUR))], {LEAD: "1 commits of a service's first deployment"}),
    "bare": ([deployed(0, NOON - DAY), deployed(1)], {LEAD: "2 deployments that came without their commits"}),
    "timeless": (
        [deployed(0, NOON - DAY), deployed(1, commits=[Commit(sha="a")])],
        {LEAD: "1 commits without the time"},
    ),
    "skewed": ([deployed(0, NOON - DAY), deployed(1, commits=commits(-HOUR))], {LEAD: "clocks disagree"}),
    "unlinked": ([opened(1), resolved(1, NOON + 2 * HOUR)], {RECOVERY: "1 incidents with no link"}),
    "unresolved": ([deployed(1), opened(1)], {RECOVERY: "1 incidents that are not resolved"}),
    "nobody's": ([opened(1, service="")], {RECOVERY: "1 incidents that name no service"}),
    "unknown": ([opened(1, deployments=[("ci", "9")])], {RECOVERY: "a deployment that was never told of"}),
    "staged": ([opened(1, environment="staging")], {RECOVERY: "in another environment"}),
    "later": ([deployed(1, NOON + DAY), opened(1, deployments=[("ci", "1")])], {RECOVERY: "that began after them"}),
    "unopened": ([resolved(1, NOON)], {RECOVERY: "whose beginning nobody told"}),
}


@pytest.mark.parametrize("case", EMPTY)
def test_an_empty_metric_says_why(metric, case):
    events, expected = EMPTY[case]
    for name, words in expected.items():
        found = metric(name, events)
        # a known service without deployments has a frequency: zero
        assert (found.value, found.n) == (0.0 if (case, name) == ("before", FREQUENCY) else None, 0)
        assert words in found.why_empty


def test_a_window_before_everything_is_empty_too(metric):
    found = metric(FREQUENCY, [deployed(1)], since=NOON - 90 * DAY, until=NOON - 80 * DAY)
    assert "no deployment of anybody to production succeeded in this window" in found.why_empty


def test_a_young_service_is_not_measured_against_the_time_before_it(metric):
    events = [deployed(number, NOON - 10 * DAY + number * DAY) for number in range(10)]
    assert metric(FREQUENCY, events, since=NOON - 300 * DAY, until=NOON).value == pytest.approx(1.0)
