"""The scenario tells one incident, recent and in order, and marks it as made up."""

import doctest

import pytest

from vigia.events.deployments import Deployment
from vigia.events.feedback import IncidentOpened, IncidentResolved, Outcome
from vigia.events.samples import Sample
from vigia.feeds import scenario
from vigia.feeds.scenario import events, incident
from vigia.topics import BY_NAME

NOW = 1_700_000_033.0
STALE_AFTER = 900.0


@pytest.fixture
def told():
    return incident("3f2a", NOW)


def one(told, kind):
    (found,) = [event for _, _, event in told if isinstance(event, kind)]
    return found


def test_events_come_in_time_order_and_none_lies_in_the_future(told):
    times = [event.occurred_at for _, _, event in told]
    assert times == sorted(times)
    assert times[-1] <= NOW


def test_every_window_is_recent_enough_to_be_acted_on(told):
    first = min(event.occurred_at for _, _, event in told if isinstance(event, Sample))
    assert NOW - first < STALE_AFTER - 60


def test_everything_is_marked_as_synthetic(told):
    for _, _, event in told:
        if isinstance(event, Sample):
            assert event.labels == {"synthetic": "true"}
        if not isinstance(event, Outcome):
            assert event.environment == "synthetic"
        else:
            assert event.scope == "synthetic"


def test_every_event_has_the_key_of_its_topic(told):
    for topic, key, event in told:
        assert key == BY_NAME[topic].key_of(event)
        assert isinstance(event, BY_NAME[topic].types)


def test_the_error_rate_rises_only_after_the_deployment_and_falls_back(told):
    deployed = max(event.at for _, _, event in told if isinstance(event, Deployment))
    samples = [event for _, _, event in told if isinstance(event, Sample)]
    before = [sample.value or 0.0 for sample in samples if sample.occurred_at < deployed]
    after = [sample.value or 0.0 for sample in samples if sample.occurred_at >= deployed]
    assert len(before) == 12
    assert max(before) < 0.01
    assert max(after) > 0.15
    assert max(after[-12:]) < 0.01
    assert sum(value > 0.1 for value in after) >= 4 * 6


def test_people_notice_step_in_and_say_that_the_deployment_failed(told):
    opened, resolved, outcome = one(told, IncidentOpened), one(told, IncidentResolved), one(told, Outcome)
    deployment = next(event for _, _, event in told if isinstance(event, Deployment))
    assert opened.deployments == [(deployment.source, deployment.external_id)]
    assert opened.incident_id == resolved.incident_id
    assert deployment.at < opened.at < resolved.at < outcome.at
    assert outcome.deployment_id == deployment.deployment_id
    assert (outcome.failed, outcome.label) == (True, "intervention")


def test_another_run_or_play_shares_no_id_and_no_service_with_it(told):
    def ids(feeds):
        return {event.identity for _, _, event in feeds if event.identity} | {event.service for _, _, event in feeds}

    assert not ids(told) & ids(incident("99aa", NOW))
    assert not ids(told) & ids(incident("3f2a", NOW, play=2))


def test_the_same_play_is_told_in_the_same_words(told):
    assert told == incident("3f2a", NOW)


def test_finite_input_is_told_once_without_a_pause(told):
    def never(seconds):
        raise AssertionError(seconds)

    assert list(events("3f2a", lambda: NOW, never, repeat=False)) == told


def test_live_it_is_told_again_later_with_another_service():
    total = 0.0

    def pause(seconds):
        nonlocal total
        total += seconds
        return total > 700

    services = {key for topic, key, _ in events("3f2a", lambda: NOW + total, pause) if topic == "metrics"}
    assert services == {"checkout-3f2a", "checkout-3f2a-2"}


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(scenario).failed == 0
