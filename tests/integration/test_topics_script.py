"""`scripts/topics.py` on a real broker, on topics of its own."""

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports them without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from tests.support.processes import without_settings
from vigia.topics import BY_NAME, TOPICS

ROOT = Path(__file__).resolve().parents[2]
MODULE = ["-m", "scripts.topics"]
FILE = ["scripts/topics.py"]


def run(environ, *arguments, way=MODULE):
    return subprocess.run(
        [sys.executable, *way, *arguments],
        cwd=ROOT,
        env=without_settings() | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def prefix():
    return f"test-{uuid.uuid4().hex[:8]}."


@pytest.fixture
def admin(stack):
    return AdminClient({"bootstrap.servers": stack["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})


@pytest.fixture
def environ(stack, prefix, admin):
    yield {"VIGIA_KAFKA_BOOTSTRAP": stack["VIGIA_KAFKA_BOOTSTRAP"], "VIGIA_KAFKA_TOPIC_PREFIX": prefix}
    ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    for future in admin.delete_topics(ours).values() if ours else ():
        future.result()


def set_config(admin, topic, name, value):
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()
    # the controller acknowledges a change before the broker shows it
    while admin.describe_configs([resource])[resource].result()[name].value != value:
        time.sleep(0.05)


@pytest.mark.parametrize("way", [MODULE, FILE], ids=["module", "file"])
def test_topics_are_created_once_and_are_then_in_order(environ, prefix, admin, way):
    missing = run(environ, "check", "--json", way=way)
    assert missing.returncode == 1
    assert [each["found"] for each in json.loads(missing.stdout)] == ["missing"] * len(TOPICS)
    assert not any(name.startswith(prefix) for name in admin.list_topics(timeout=10).topics)

    created = run(environ, "apply", way=way)
    assert created.returncode == 0, created.stderr
    assert created.stdout.count("created") == len(TOPICS)
    found = admin.list_topics(timeout=10).topics
    assert {name: len(found[prefix + name].partitions) for name in (topic.name for topic in TOPICS)} == {
        topic.name: topic.partitions for topic in TOPICS
    }

    again = run(environ, "apply", way=way)
    assert again.returncode == 0
    assert f"{len(TOPICS)} topics are in order" in again.stdout
    assert run(environ, "check", way=way).returncode == 0


def test_configuration_that_differs_is_reported_and_changed_only_with_fix(environ, prefix, admin):
    assert run(environ, "apply").returncode == 0
    set_config(admin, prefix + "metrics", "retention.ms", "1000")
    set_config(admin, prefix + "metrics", "message.timestamp.type", "CreateTime")
    wanted = {("retention.ms", "259200000", "1000"), ("message.timestamp.type", "LogAppendTime", "CreateTime")}

    for arguments in (["check", "--json"], ["apply", "--json"]):
        reported = run(environ, *arguments)
        assert reported.returncode == 1
        drift = json.loads(reported.stdout)
        assert {(each["setting"], each["wanted"], each["found"]) for each in drift} == wanted
        assert {each["outcome"] for each in drift} == {"open"}

    fixed = run(environ, "apply", "--fix", "--json")
    assert fixed.returncode == 0
    assert {each["outcome"] for each in json.loads(fixed.stdout)} == {"fixed"}
    assert run(environ, "check").returncode == 0


def test_partition_counts_are_reported_and_never_changed(environ, prefix, admin):
    admin.create_topics([NewTopic(prefix + "risk", num_partitions=3)])[prefix + "risk"].result()
    done = run(environ, "apply", "--fix")
    assert done.returncode == 1
    assert "`repartition AGENT COUNT` adds some" in done.stdout
    assert len(admin.list_topics(timeout=10).topics[prefix + "risk"].partitions) == 3


def test_more_partitions_than_a_row_says_are_in_order_where_all_topics_of_an_agent_have_them(environ, prefix, admin):
    for name in ("metrics", "deployments"):
        admin.create_topics([NewTopic(prefix + name, num_partitions=6)])[prefix + name].result()
    done = run(environ, "apply", "--fix", "--json")
    assert done.returncode == 0, done.stdout
    on_broker = admin.list_topics(timeout=10).topics
    found = {name: len(on_broker[prefix + name].partitions) for name in BY_NAME}
    # feedback shares its lanes with deployments
    assert [found[name] for name in ("metrics", "deployments", "feedback", "problems")] == [6, 6, 6, 4]
    admin.create_partitions([NewPartitions(prefix + "deployments", 7)])[prefix + "deployments"].result()
    drift = json.loads(run(environ, "check", "--json").stdout)
    assert [(each["topic"], each["setting"], each["wanted"], each["found"]) for each in drift] == [
        (prefix + "feedback", "partitions", "7", "6")
    ]


def test_what_the_broker_refuses_is_said(environ):
    # one broker cannot hold three replicas
    done = run(environ | {"VIGIA_KAFKA_REPLICATION_FACTOR": "3"}, "apply", "--json")
    assert done.returncode == 1
    drift = json.loads(done.stdout)
    assert {each["outcome"] for each in drift} == {"refused"}
    assert "replication factor" in drift[0]["detail"].lower()


def test_records_are_stamped_by_the_broker_and_large_ones_refused(environ, prefix):
    assert run(environ, "apply").returncode == 0
    refused = []
    producer = Producer({"bootstrap.servers": environ["VIGIA_KAFKA_BOOTSTRAP"], "message.max.bytes": 4_000_000})
    stamps = []

    def delivered(error, message):
        refused.append(error)
        stamps.append(message.timestamp()[1])

    producer.produce(prefix + "metrics", b"x" * 900_000, b"k", timestamp=1_000_000, on_delivery=delivered)
    producer.flush(30)
    producer.produce(prefix + "metrics", b"x" * 1_100_000, b"k", on_delivery=delivered)
    producer.flush(30)
    assert refused[0] is None
    assert stamps[0] > 1_700_000_000_000
    assert refused[1] is not None
    assert refused[1].name() == "MSG_SIZE_TOO_LARGE"


def test_a_broker_that_is_down_is_exit_code_75():
    done = run({"VIGIA_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "apply", "--timeout", "1")
    assert done.returncode == 75
    assert "127.0.0.1:1 did not answer within 1 s" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_that_cannot_be_used_are_exit_code_78():
    done = run({"VIGIA_KAFKA_BOOTSTRP": "x"}, "check")
    assert done.returncode == 78
    assert "did you mean VIGIA_KAFKA_BOOTSTRAP?" in done.stderr


def test_access_lists_are_printed_quoted_for_a_shell(environ):
    done = run(environ | {"VIGIA_KAFKA_GROUP": "two words"}, "acls")
    assert done.returncode == 0
    assert "--group 'two words'" in done.stdout
    assert len(json.loads(run(environ, "acls", "--json").stdout)) == len(done.stdout.splitlines())
