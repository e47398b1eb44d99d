"""The topic rows, the configuration and the access lists that follow from them."""

import socket
from collections import defaultdict
from typing import Any

import msgspec
import pytest

from scripts.acls import acl_commands, principal_of, rights
from vigia.events.invalid import Invalid, Reason
from vigia.events.topic import DAY, Topic
from vigia.streaming.topic_admin import BrokerUnreachable, TopicPolicy, check_topics, topic_config
from vigia.topics import BY_NAME, PRINCIPALS, TOPICS

DEVELOPMENT = TopicPolicy(replication_factor=1, min_insync_replicas=1)

with_types = pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.types], ids=lambda topic: topic.name)
without_types = pytest.mark.parametrize(
    "topic", [topic for topic in TOPICS if not topic.types], ids=lambda topic: topic.name
)


def agents_reading(topic):
    return [name for name in topic.read_by if name.endswith("-agent")]


def test_no_two_rows_share_a_name():
    assert len(BY_NAME) == len(TOPICS) == 19


@with_types
def test_every_event_has_the_field_that_is_its_key(topic):
    for kind in topic.types:
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        assert topic.key in fields
        assert fields[topic.key].type is not None


@with_types
def test_the_types_of_a_topic_can_be_told_apart(topic):
    tags = [kind.__struct_config__.tag for kind in topic.types]
    assert len(set(tags)) == len(tags)


@without_types
def test_a_topic_without_types_refuses_what_it_is_given(topic):
    (refused,) = topic.decode(b'{"type":"anything"}')
    assert isinstance(refused, Invalid)
    assert refused.reason is Reason.UNKNOWN_TYPE
    assert refused.body == b'{"type":"anything"}'
    assert topic.decode(None)[0].reason is Reason.EMPTY


def test_a_topic_has_at_most_one_reading_agent():
    assert {topic.name: agents_reading(topic) for topic in TOPICS if len(agents_reading(topic)) > 1} == {}


def test_topics_that_one_agent_reads_have_equal_partition_counts_and_are_stamped_by_the_broker():
    counts = defaultdict(set)
    for topic in TOPICS:
        for agent in agents_reading(topic):
            counts[agent].add(topic.partitions)
            assert topic.timestamps == "LogAppendTime"
    assert set(counts) == {"deployments-agent", "metrics-agent", "telemetry-agent", "remediation-agent"}
    assert all(len(numbers) == 1 for numbers in counts.values())


def test_everyone_who_writes_or_reads_is_described_and_nobody_else():
    names = {name for topic in TOPICS for name in topic.written_by + topic.read_by}
    assert names == set(PRINCIPALS)


def test_every_row_says_who_why_and_for_how_long():
    for topic in TOPICS:
        assert topic.written_by
        assert topic.read_by
        assert topic.retention_reason
        assert topic.purpose.endswith(".")
        assert topic.retention == -1 or topic.retention >= DAY


def test_only_audit_is_kept_for_ever():
    assert [topic.name for topic in TOPICS if topic.retention < 0] == ["audit"]


# ------------------------------------------------------------------------------------------------------- configuration


def row(**changes):
    base: dict[str, Any] = {
        "name": "x",
        "key": "service",
        "types": (),
        "partitions": 4,
        "retention": 2 * DAY,
        "written_by": ("a",),
        "read_by": ("b",),
        "purpose": "Test.",
    }
    return Topic(**(base | changes))


def test_the_configuration_says_retention_in_milliseconds_and_policy():
    config = topic_config(row(), TopicPolicy(3, 2, compression="zstd"))
    assert config == {
        "cleanup.policy": "delete",
        "compression.type": "zstd",
        "max.message.bytes": "1048576",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2",
        "retention.ms": str(2 * DAY * 1000),
        "segment.ms": str(DAY // 2 * 1000),
    }


def test_a_topic_kept_for_ever_has_no_retention_and_the_brokers_own_segments():
    config = topic_config(row(retention=-1), DEVELOPMENT)
    assert config["retention.ms"] == "-1"
    assert "segment.ms" not in config


def test_a_compacted_topic_says_so():
    assert topic_config(row(compacted=True), DEVELOPMENT)["cleanup.policy"] == "compact"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_segments_are_shorter_than_retention_so_that_it_is_kept(topic):
    config = topic_config(topic, DEVELOPMENT)
    if topic.retention > 0:
        assert 3600_000 <= int(config["segment.ms"]) <= int(config["retention.ms"]) // 4


def test_a_broker_that_does_not_answer_is_named_with_what_it_said():
    with socket.socket() as held:
        # bound and not listening: nobody else gets the port, and connections are refused
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(BrokerUnreachable, match=rf"{address} did not answer within 1 s: .*refused"):
            check_topics({"bootstrap.servers": address}, TOPICS, DEVELOPMENT, timeout=1.0)


# -------------------------------------------------------------------------------------------------------- access lists


def test_agents_speak_as_the_worker_and_others_as_themselves():
    assert principal_of("metrics-agent") == "vigia"
    assert principal_of("ci") == "ci"


def test_an_agent_may_write_to_what_it_reads_for_ticks_and_moved_records():
    writes, reads = rights((row(written_by=("ci",), read_by=("metrics-agent", "people")),))
    assert writes == {"ci": ["x"], "vigia": ["x"]}
    assert reads == {"vigia": ["x"], "people": ["x"]}


def test_only_approvers_and_the_worker_may_write_verdicts():
    writes, _ = rights(TOPICS)
    assert {name for name, topics in writes.items() if "verdicts" in topics} == {"approvers", "vigia"}


def test_access_lists_name_physical_topics_and_groups():
    topics = (
        row(name="in", written_by=("ci",), read_by=("metrics-agent",)),
        row(name="out", written_by=("metrics-agent",)),
    )
    commands = acl_commands(topics, bootstrap="127.0.0.1:1", group="g", prefix="t.", principal_format="User:CN={name}")
    start = ["kafka-acls.sh", "--bootstrap-server", "127.0.0.1:1", "--add", "--allow-principal"]
    assert [command[:5] for command in commands] == [start] * len(commands)
    assert [command[5:] for command in commands] == [
        ["User:CN=b", "--operation", "Read", "--operation", "Describe", "--topic", "t.out"],
        ["User:CN=b", "--operation", "Read", "--group", "b", "--resource-pattern-type", "prefixed"],
        ["User:CN=ci", "--operation", "Write", "--operation", "Describe", "--topic", "t.in"],
        ["User:CN=vigia", "--operation", "Write", "--operation", "Describe", "--topic", "t.in", "--topic", "t.out"],
        ["User:CN=vigia", "--operation", "Read", "--operation", "Describe", "--topic", "t.in"],
        ["User:CN=vigia", "--operation", "Read", "--group", "g"],
        ["User:CN=vigia", "--operation", "DescribeConfigs", "--topic", "t.in", "--topic", "t.out"],
    ]
