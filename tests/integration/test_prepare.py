"""`vigia migrate` and `vigia health` on the real stack: all that runs before a worker, and beside it."""

import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # re-exported without saying so

from tests.support import fresh_environment
from tests.support.processes import without_settings
from vigia.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def env(stack, tmp_path):
    """A place without schemas and topics."""
    with fresh_environment(stack, tmp_path, migrated=False) as env:
        # under another prefix there are no topics yet; it begins like the first one, so they are dropped too
        yield env | {"VIGIA_KAFKA_TOPIC_PREFIX": env["VIGIA_KAFKA_TOPIC_PREFIX"] + "new."}


def vigia(env, *arguments) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "vigia", *arguments],
        cwd=ROOT,
        env=without_settings() | env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_migrating_makes_a_place_healthy_and_creates_its_topics(env):
    code, _, said = vigia(env, "health")
    assert code == 1
    assert [line.partition(" cassandra")[0].partition(" mysql")[0] for line in said.splitlines()] == [
        "the raw log",
        "the summaries' database",
    ]
    code, made, said = vigia(env, "migrate")
    assert (code, said) == (0, "")
    prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
    assert sorted(made.split()[2::3]) == sorted(prefix + topic.name for topic in TOPICS)
    assert vigia(env, "migrate") == (0, "", "")
    assert vigia(env, "health") == (0, "", "")


def test_a_topic_that_differs_is_told_and_left_as_it_is(env):
    prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
    admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
    admin.create_topics([NewTopic(prefix + "metrics", num_partitions=1, replication_factor=1)])[
        prefix + "metrics"
    ].result()
    code, _, said = vigia(env, "migrate")
    assert code == 0
    assert f"topic {prefix}metrics: partitions should be 4 and is 1" in said
    assert len(admin.list_topics(timeout=10).topics[prefix + "metrics"].partitions) == 1


def test_topics_can_be_left_alone(env):
    assert vigia(env, "migrate", "--without-topics") == (0, "", "")
    admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
    assert env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics" not in admin.list_topics(timeout=10).topics
