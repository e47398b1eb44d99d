"""Payloads of other tools on the real path: embedded broker, one worker process, SQLite; one of each kind."""

import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.support import Sender, counts, opened_stores, wait_until, worker
from tests.unit.events.formats.payloads import (
    alert,
    cdevent,
    ce_headers,
    cloudevent,
    encoded,
    github_deployment,
    github_run,
    github_status,
    notification,
)
from vigia.app import migrate
from vigia.cli.run import environment
from vigia.cli.run.broker import EmbeddedBroker, touch_topics
from vigia.settings import load
from vigia.topics import TOPICS

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(seconds):
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def own(number):
    return {
        "type": "deployment",
        "source": "ci",
        "external_id": str(number),
        "service": "till",
        "stage": "planned",
        "at": ago(50),
    }


SENT = [
    # topic, value, headers: without a key, so that all of it has to find its lane
    ("deployments", github_run(900, conclusion="failure", at=ago(10)), ()),
    ("deployments", github_status("success", ago(20), 2, run=900, created_at=ago(60)), ()),
    ("deployments", github_status("in_progress", ago(40), 1, run=900, created_at=ago(60)), ()),
    ("deployments", github_deployment(run=900, created_at=ago(60)), [("X-GitHub-Event", b"deployment")]),
    ("deployments", cdevent(timestamp=ago(30)), ()),
    ("deployments", cloudevent(own(7)), [("content-type", b"application/cloudevents+json")]),
    ("deployments", own(8), ce_headers(partitionkey="payments")),
    ("metrics", notification(alert(began=ago(30))), ()),
    ("feedback", notification(alert(began=ago(30))), ()),
    ("feedback", notification(alert("resolved", began=ago(30), ended=ago(5))), ()),
    ("feedback", cdevent("incident.detected", content={"service": {"id": "till"}}, timestamp=ago(9)), ()),
    ("deployments", cdevent("build.finished"), ()),
]

APPLIED = {"deployments": 6, "feedback": 5, "metrics": 2}
"""What is applied in the end: on feedback the run, what follows from it, an alert's two ends and an incident."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The rows of three tables by name, the dead letters, and the figures."""
    folder = tmp_path_factory.mktemp("formats")
    with ExitStack() as ending:
        broker = EmbeddedBroker(folder / "broker.log", {})
        ending.callback(broker.stop)
        env = environment.embedded({}, folder, broker.bootstrap, broker.cluster_id) | {"VIGIA_KAFKA_TOPIC_PREFIX": ""}
        settings = load(env)
        touch_topics(settings.kafka.confluent_config(), [settings.kafka.physical(topic.name) for topic in TOPICS])
        migrate(settings)
        ending.enter_context(worker(env))
        with Sender(env) as sender:
            for topic, body, headers in SENT:
                sender.send(topic, encoded(body), headers=headers)
            sender.flush()

        def done():
            found = counts(env)
            return found["outcomes_learned"] >= 1 and all(
                found[f"{topic}.applied"] >= n for topic, n in APPLIED.items()
            )

        wait_until(done, 90, "the last event")
        with opened_stores(env) as stores:
            letters = stores.summaries.dead_letters(None, 100)
        yield {name: rows(folder, name) for name in ("deployments", "incidents", "series")}, letters, counts(env)


def rows(folder, table):
    with closing(sqlite3.connect(folder / "summaries.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]


def test_the_events_of_one_deployment_are_one_row(told):
    (row,) = [row for row in told[0]["deployments"] if row["external_id"] == "42"]
    assert (row["service"], row["stage"], row["status"]) == ("shop", "finished", "succeeded")
    assert (row["outcome"], row["outcome_label"]) == ("failed", "ci_status")
    assert None not in (row["planned_at"], row["started_at"], row["finished_at"])


def test_each_kind_of_payload_made_its_deployment(told):
    assert {(row["service"], row["external_id"], row["scope"]) for row in told[0]["deployments"]} == {
        ("shop", "42", "unassigned"),
        ("shop", cdevent()["context"]["id"], "unassigned"),
        ("till", "7", "unassigned"),
        ("till", "8", "payments"),
    }


def test_an_alert_that_came_to_two_topics_is_one_incident_and_one_series(told):
    (of_alert,) = [row for row in told[0]["incidents"] if row["source"] == "alertmanager"]
    assert (of_alert["service"], of_alert["severity"]) == ("shop", "P1")
    assert of_alert["opened_at"] < of_alert["resolved_at"]
    (of_cdevent,) = [row for row in told[0]["incidents"] if row["source"] != "alertmanager"]
    assert (of_cdevent["service"], of_cdevent["resolved_at"]) == ("till", None)
    assert [row["metric"] for row in told[0]["series"]] == ["alert_firing"]


def test_what_nobody_knows_is_a_dead_letter_and_nothing_else_is(told):
    (letter,) = told[1]
    assert (letter.reason, letter.topic) == ("unknown_type", "deployments")
    assert "build.finished" in letter.detail


def test_all_of_it_is_accounted_for(told):
    figures = told[2]
    for topic in APPLIED:
        parts = [figures[f"{topic}.{name}"] for name in ("applied", "duplicate", "invalid", "moved")]
        assert figures[f"{topic}.in"] == sum(parts)
    assert {topic: figures[f"{topic}.applied"] for topic in APPLIED} == APPLIED
    assert (figures["feedback.duplicate"], figures["metrics.duplicate"]) == (1, 1)
