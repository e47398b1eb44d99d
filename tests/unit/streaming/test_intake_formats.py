"""Payloads of other tools at the intake: each event where it belongs, on this topic or another."""

import pytest

from tests.support.fakes.world import CLUSTER, PARTITIONS
from tests.unit.events.formats.payloads import (
    alert,
    cdevent,
    ce_headers,
    encoded,
    github_deployment,
    github_run,
    notification,
)
from tests.unit.streaming.computing import batch, record
from vigia.events.deployments import Deployment
from vigia.events.feedback import IncidentOpened
from vigia.events.invalid import Reason
from vigia.streaming.batches import ORIGIN_HEADER
from vigia.streaming.intake import Intake
from vigia.streaming.partitions import partition_of
from vigia.topics import BY_NAME, DEPLOYMENTS, FEEDBACK, METRICS, TOPICS

ELSEWHERE = [topic for topic in TOPICS if topic.formats]
SCOPE = b"payments"
NOW = 1_800_000_000.0


def taken(topic, value, key=SCOPE, headers=(), elsewhere=ELSEWHERE):
    partition = partition_of(key, PARTITIONS) if key else 0
    sent = batch(record(value, key, at=NOW, headers=headers), topic=topic.name, partition=partition)
    intake = Intake(topic, lambda _service, _at: SCOPE.decode(), 300.0, elsewhere)
    return intake.take(sent, PARTITIONS, CLUSTER)


def arrived(row):
    """What becomes of a record that was sent on, where it arrives."""
    return taken(BY_NAME[row.topic], row.value, row.key, row.headers)


def test_a_payload_in_its_lane_is_applied():
    found = taken(DEPLOYMENTS, encoded(github_deployment()))
    (event,) = found.events
    assert isinstance(event, Deployment)
    assert event.scope == SCOPE.decode()
    assert (found.moved, found.refused, found.weight) == ([], [], 1)


def test_a_payload_under_another_key_is_sent_on_as_an_event_of_ours():
    found = taken(DEPLOYMENTS, encoded(cdevent()), key=b"something else", headers=ce_headers())
    (moved,) = found.moved
    assert (moved.topic, moved.key) == ("deployments", SCOPE)
    assert [name for name, _ in moved.headers] == [ORIGIN_HEADER]
    assert len(arrived(moved).events) == 1


@pytest.mark.parametrize("topic", ELSEWHERE, ids=lambda topic: topic.name)
@pytest.mark.parametrize("key", [SCOPE, b"shop", None])
def test_whatever_topic_an_alert_is_sent_to_it_is_one_incident_and_one_sample(topic, key):
    found = taken(topic, encoded(notification(alert())), key)
    assert (len(found.events) + len(found.moved), found.refused) == (2, [])
    assert (found.weight, found.moved_weight) == (2, len(found.moved))
    events = found.events + [event for row in found.moved for event in arrived(row).events]
    assert sorted(type(event).__name__ for event in events) == ["IncidentOpened", "Sample"]
    assert {row.topic for row in found.moved} <= {"feedback", "metrics"}
    assert all(isinstance(event, topic.types) for event in found.events)


def test_both_ways_to_a_topic_give_the_same_event_so_that_it_counts_once():
    (direct,) = (event for event in taken(FEEDBACK, encoded(notification(alert()))).events)
    (moved,) = (row for row in taken(METRICS, encoded(notification(alert()))).moved if row.topic == "feedback")
    assert isinstance(direct, IncidentOpened)
    assert arrived(moved).events == [direct]


def test_an_alert_whose_end_is_not_known_ended_at_its_records_time():
    (resolved,) = taken(FEEDBACK, encoded(notification(alert("resolved")))).events
    assert resolved.at == NOW
    moved = taken(METRICS, encoded(notification(alert("resolved")))).moved
    assert [event.at for row in moved if row.topic == "feedback" for event in arrived(row).events] == [NOW]


def test_a_workflow_run_belongs_on_feedback():
    (moved,) = taken(DEPLOYMENTS, encoded(github_run())).moved
    assert (moved.topic, moved.key) == ("feedback", SCOPE)


def test_without_a_topic_that_takes_it_an_event_is_refused():
    (refused,) = taken(DEPLOYMENTS, encoded(github_run()), elsewhere=()).refused
    assert refused.invalid.reason is Reason.UNKNOWN_TYPE
    assert "PipelineRun" in refused.invalid.detail


def test_a_payload_nobody_knows_is_a_dead_letter_with_its_bytes():
    value = encoded(cdevent("build.finished"))
    (refused,) = taken(DEPLOYMENTS, value).refused
    assert (refused.invalid.reason, refused.invalid.body) == (Reason.UNKNOWN_TYPE, value)


def test_an_array_holds_events_of_ours_only():
    found = taken(DEPLOYMENTS, b"[" + encoded(cdevent()) + b"]")
    assert [one.invalid.reason for one in found.refused] == [Reason.MISSING_FIELD]


def test_a_topic_without_formats_refuses_them():
    (refused,) = taken(BY_NAME["ai-decisions"], encoded(cdevent())).refused
    assert refused.invalid.reason is Reason.MISSING_FIELD
