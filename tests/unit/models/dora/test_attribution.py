"""Which deployment caused an incident, with which confidence, and in which words."""

import pytest

from vigia.events import dora
from vigia.events.dora_facts import Cause, Incident, Statement
from vigia.models.dora.attribution import attribute, made_for

HOUR = 3600.0
PRODUCTION = ("production",)
INCIDENT = Incident("i", "shop", "web", "production", 100 * HOUR, 110 * HOUR)


def cause(name, exposed, **fields):
    given = {"service": "web", "environment": "production", "excluded": "", "intervention": None} | fields
    return Cause(deployment_id=name, scope="shop", at=(exposed or 0.0) + 60, exposed_at=exposed, **given)


def said(kind, known, at=0.0, name="s", **fields):
    given = {"by": "ada", "reason": ""} | fields
    return Statement(name, kind, known.deployment_id if known else "", at, cause=known, **given)


def attributed(statements=(), nearby=(), incident=INCIDENT):
    return attribute(incident, statements, nearby, 24 * HOUR, PRODUCTION)


def test_the_latest_deployment_before_it_is_the_cause_and_the_more_there_were_the_less_sure():
    deployments = [cause(str(number), (90 + number) * HOUR) for number in (9, 5, 1)]
    for count in (1, 2, 3):
        found = attributed(nearby=deployments[:count])
        assert (found.cause, found.confidence) == (deployments[0], 1 / (count + 1))
    assert attributed(nearby=deployments[:1]).reason == "the only deployment in the 24 h before"
    assert attributed(nearby=deployments).reason == "the latest of 3 deployments in the 24 h before"


def test_what_began_after_it_or_before_the_window_is_not_the_cause():
    for exposed in (100.01, 76.0, 10.0):
        assert attributed(nearby=[cause("a", exposed * HOUR)]).excluded == dora.NO_DEPLOYMENT
    assert attributed(nearby=[cause("a", 76.01 * HOUR)]).cause is not None


def test_what_a_person_said_last_wins_over_links_and_links_over_time():
    near, linked, right = cause("near", 99 * HOUR), cause("linked", 50 * HOUR), cause("right", 20 * HOUR)
    link = said("linked", linked)
    assert attributed([link], [near]).cause == linked
    earlier, later = said("corrected", near, 1.0, "z"), said("corrected", right, 2.0, "a", reason="a slow leak")
    found = attributed([later, link, earlier], [near])
    assert (found.cause, found.confidence, found.reason) == (right, 1.0, "corrected by ada: a slow leak")


def test_links_share_their_confidence_and_the_latest_that_fits_is_taken():
    fits, later, staged = cause("a", 50 * HOUR), cause("b", 101 * HOUR), cause("c", 60 * HOUR, environment="staging")
    found = attributed([said("linked", each, name=each.deployment_id) for each in (fits, later, staged)])
    assert (found.cause, found.excluded) == (fits, "")
    assert found.confidence == pytest.approx(1 / 3)
    assert attributed([said("linked", later)]).excluded == dora.DEPLOYED_LATER
    assert attributed([said("linked", staged)]).excluded == dora.NOT_PRODUCTION
    assert attributed([said("linked", cause("r", None, excluded=dora.ROLLBACK))]).excluded == dora.ROLLBACK


def test_an_incident_elsewhere_than_in_production_has_no_cause_that_counts():
    staged = Incident("i", "shop", "web", "staging", 100 * HOUR, None)
    assert attributed(nearby=[cause("a", 99 * HOUR)], incident=staged).excluded == dora.NOT_PRODUCTION


def test_what_ended_an_incident_began_while_it_was_open():
    deployments = [cause(str(hour), hour * HOUR) for hour in (111, 109, 104, 99)]
    assert made_for(INCIDENT, deployments, 24 * HOUR) == deployments[1]
    assert made_for(INCIDENT, deployments, 5 * HOUR) == deployments[2]
    assert made_for(INCIDENT, [cause("f", 105 * HOUR, excluded=dora.FAILED)], 24 * HOUR) is None
    assert made_for(Incident("i", "shop", "web", "production", 100 * HOUR, None), deployments, 24 * HOUR) is None
