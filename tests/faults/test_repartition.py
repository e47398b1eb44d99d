"""Partitions are added to the topics of agents that have lived: states follow, and nothing is lost or doubled."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports them without saying so
    AdminClient,
    NewPartitions,
)

from tests.faults.checks import (
    check_outputs,
    check_raw_log,
    check_rebuild,
    check_steps,
    check_windows,
    wait_until_applied,
)
from tests.faults.crew import Crew
from tests.faults.load import DETECTORS, Expected, Load
from tests.support import Sender, counts, fresh_environment, opened_stores, read_topic, start_worker, wait_until
from tests.support.records import Headers, Sent
from tests.support.workers import ROOT
from vigia.streaming.batches import ORIGIN_HEADER

NEEDS_PERSON = 78
MESSAGES = 3_000
"""A third of all: together more than five minutes of event time, so that there is a bad one."""
AFTER = 6
SETTINGS: dict[str, Any] = {
    "VIGIA_KAFKA_SESSION_TIMEOUT": "6s",
    "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s",
    "VIGIA_OPERATIONS_HEARTBEAT": "1s",
    "VIGIA_METRICS_IDLE_TIMEOUT": "3s",
    "VIGIA_DETECTORS": str(DETECTORS),
    # the load's event times lie hours back; its problems shall be acted on all the same
    "VIGIA_METRICS_STALE_AFTER": "1d",
}


class Remembering(Sender):
    """A sender that remembers what it has sent of topics whose events have ids."""

    def __init__(self, env: Mapping[str, str]) -> None:
        # else it hears of new partitions within five minutes, which a slow machine may take
        super().__init__(env, topic_metadata_refresh_interval_ms=-1)
        self.remembered: list[tuple[str, bytes | None, bytes | None]] = []

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
    ) -> Sent:
        if topic != "metrics":
            self.remembered.append((topic, value, key))
        return super().send(topic, value, key=key, partition=partition, headers=headers)


def repartition(env: Mapping[str, str], agent: str, *more: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "scripts.topics", "repartition", agent, str(AFTER), "--watch", "1", *more]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def partitions(env: Mapping[str, str], topic: str) -> int:
    admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
    return len(admin.list_topics(timeout=30).topics[env["VIGIA_KAFKA_TOPIC_PREFIX"] + topic].partitions)


def at_rest(env: Mapping[str, str]) -> bool:
    """Whether all that a lane has told another was applied: nothing moves for a second."""
    with opened_stores(env) as stores:
        before = [(row.lane, row.version) for row in stores.summaries.lanes()]
        time.sleep(1)
        return before == [(row.lane, row.version) for row in stores.summaries.lanes()]


@pytest.mark.timeout(600)
def test_partitions_are_added_and_everything_goes_on_in_its_lanes(stack, tmp_path):
    load = Load(4, time.time())
    with fresh_environment(stack, tmp_path, **SETTINGS) as env, Remembering(env) as old:
        with Crew(env, 2):
            load.send(old, MESSAGES)
            old.flush()
            wait_until_applied(env, load.expected, 120)
            wait_until(lambda: at_rest(env), 60, "the end of what lanes tell each other")
            code, said = repartition(env, "metrics", "--yes")
            assert code == 1, said
            assert "gives signs of life" in said
        refuses_what_waits(env, load, old)
        for agent in ("metrics", "deployments"):
            code, said = repartition(env, agent)
            assert (code, partitions(env, agent)) == (0, 4), said
            assert "dry run: nothing speaks against it" in said
        killed_between_the_topics_and_the_database(env)
        for agent in ("metrics", "deployments"):
            code, said = repartition(env, agent, "--because", "more services", "--yes")
            assert code == 0, said
        assert [partitions(env, topic) for topic in ("metrics", "deployments", "feedback", "problems")] == [6, 6, 6, 4]
        assert repartition(env, "metrics", "--yes") == (1, MATCH_NOTHING_TO_DO)
        in_order = subprocess.run(
            [sys.executable, "-m", "scripts.topics", "check"], cwd=ROOT, env=env, capture_output=True, check=False
        )
        assert in_order.returncode == 0, in_order.stdout
        with Crew(env, 2), Sender(env) as sender:
            load.send(sender, MESSAGES)
            # by a sender that has not heard of the new partitions yet
            load.send(old, MESSAGES)
            again = random.Random(4).sample(old.remembered, len(old.remembered) // 2)
            for topic, value, key in again:
                sender.send(topic, value, key=key)
            sender.flush()
            old.flush()
            wait_until_applied(env, load.expected, 120)
            wait_until(lambda: at_rest(env), 60, "the end of what lanes tell each other")
            check_counted_once(env, load.expected, len(again))
        check_windows(env, load.expected)
        check_raw_log(env)
        check_outputs(env, load.expected)
        check_steps(env)
        check_rebuild(env)


MATCH_NOTHING_TO_DO = (
    "looking, and watching the logs for 1 s\n"
    "metrics has 6 partitions already, and so have its lanes: there is nothing to do\n"
)


def refuses_what_waits(env: Mapping[str, str], load: Load, sender: Sender) -> None:
    """What no worker has applied yet speaks against it; a worker applies it."""
    load.send(sender, 200)
    sender.flush()
    code, said = repartition(env, "metrics", "--yes")
    assert (code, partitions(env, "metrics")) == (1, 4), said
    assert "hold records that are not applied: let the workers apply them" in said
    with Crew(env, 1):
        wait_until_applied(env, load.expected, 120)
        wait_until(lambda: at_rest(env), 60, "the end of what lanes tell each other")


def killed_between_the_topics_and_the_database(env: Mapping[str, str]) -> None:
    """The partitions are there, and the lanes know nothing of it: no worker starts."""
    admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
    topics = ("metrics", "mutes")
    names = [env["VIGIA_KAFKA_TOPIC_PREFIX"] + topic for topic in topics]
    for made in admin.create_partitions([NewPartitions(name, AFTER) for name in names]).values():
        made.result()
    wait_until(lambda: all(partitions(env, topic) == AFTER for topic in topics), 30, "the partitions")
    one = start_worker(env)
    assert one.wait_ended(90) == NEEDS_PERSON, one.log[-4000:]
    assert "scripts.topics repartition metrics 6" in one.log
    # it could not say that it is gone: it counts as alive for four signs of life
    wait_until(lambda: repartition(env, "metrics")[0] == 0, 30, "the end of its signs of life")


def check_counted_once(env: Mapping[str, str], expected: Expected, again: int) -> None:
    """Every event counts once; what was sent again is a duplicate, and what came to an old place was sent on."""
    found = counts(env)
    assert found["metrics.applied"] == expected.samples
    assert found["deployments.applied"] == found["deployments_scored"] == len(expected.deployments)
    assert found["deployments.duplicate"] + found["feedback.duplicate"] == again + sum(
        published_again(env, topic) for topic in ("deployments", "feedback")
    )
    assert found["feedback.applied"] == expected.outcomes
    assert found["metrics.moved"] > 100
    for topic in ("metrics", "deployments", "feedback"):
        parts = [found[f"{topic}.{part}"] for part in ("applied", "duplicate", "invalid", "moved")]
        assert found[f"{topic}.in"] == sum(parts), topic


def published_again(env: Mapping[str, str], topic: str) -> int:
    """How many records that were sent on lie there more than once: a new owner of a lane publishes what was left."""
    origins = Counter(
        value for record in read_topic(env, topic) for name, value in record.headers if name == ORIGIN_HEADER
    )
    return sum(origins.values()) - len(origins)
