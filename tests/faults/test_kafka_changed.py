"""What somebody does to Kafka beside the workers: it changes nothing, or the worker stops and says what it found."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports them without saying so
    AdminClient,
    NewPartitions,
    NewTopic,
)

from tests.faults.checks import check_steps
from tests.support import Sender, counts, fresh_environment, opened_stores, start_worker, wait_until, worker
from tests.support.bad_case import PARTITIONS, encoded, sample
from vigia.stores.base import LaneId
from vigia.streaming.partitions import partition_of

NEEDS_PERSON = 78
LANE = LaneId("metrics", partition_of(b"shop", PARTITIONS))
SENT = 20
SETTINGS: dict[str, Any] = {"VIGIA_KAFKA_SESSION_TIMEOUT": "6s", "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s"}

Environment = Mapping[str, str]


def admin_of(env: Environment) -> AdminClient:
    """An admin client; hold it until it has answered, since one that is let go never does."""
    return AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})


def metrics(env: Environment) -> str:
    """The topic's name on the broker."""
    return env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics"


def send(env: Environment, number: int) -> None:
    with Sender(env) as sender:
        for _ in range(number):
            sender.send("metrics", encoded(sample(time.time())), key=b"shop")


def applied(env: Environment) -> int:
    return counts(env)["metrics.applied"]


@contextmanager
def used(stack: Environment, folder: Path) -> Iterator[dict[str, str]]:
    """Give an environment in which a worker has applied SENT samples of one lane and has stopped."""
    with fresh_environment(stack, folder, **SETTINGS) as env:
        with worker(env):
            send(env, SENT)
            wait_until(lambda: applied(env) == SENT, 60, "the samples")
        yield env


def refusal(env: Environment, **more: str) -> str:
    """Start a worker that must end for a person, and return why it did; nothing may have changed by it."""
    with opened_stores(env) as stores:
        before = stores.summaries.lanes()
    one = start_worker({**env, **more})
    try:
        code = one.wait_ended(90)
    finally:
        if one.running:
            one.kill()
    assert code == NEEDS_PERSON, one.log
    with opened_stores(env) as stores:
        assert stores.summaries.lanes() == before
    (line,) = [line for line in one.log.splitlines() if " CRITICAL " in line]
    return line


def create_anew(env: Environment, partitions: int = PARTITIONS) -> None:
    """Delete the topic and create it again, with nothing in it."""
    admin = admin_of(env)
    for future in admin.delete_topics([metrics(env)]).values():
        future.result(30)
    wait_until(lambda: metrics(env) not in admin.list_topics(timeout=30).topics, 30, "the end of the topic")
    for future in admin.create_topics(
        [NewTopic(metrics(env), partitions, 1, config={"message.timestamp.type": "LogAppendTime"})]
    ).values():
        future.result(30)


@pytest.mark.parametrize("to", ["ahead", "back"])
def test_kafkas_commit_moved_by_hand_changes_nothing(stack, tmp_path, to):
    with used(stack, tmp_path) as env:
        waiting = 10
        send(env, waiting)
        group = env["VIGIA_KAFKA_GROUP"]
        offset = SENT + waiting if to == "ahead" else 0
        moved = ConsumerGroupTopicPartitions(group, [TopicPartition(metrics(env), LANE.partition, offset)])
        admin = admin_of(env)
        # until the group has let its last member go, the broker takes commits of members alone
        wait_until(lambda: admin.describe_consumer_groups([group])[group].result().state.name == "EMPTY", 30, "an end")
        (done,) = admin.alter_consumer_group_offsets([moved]).values()
        assert [(each.offset, each.error) for each in done.result().topic_partitions] == [(offset, None)]
        with worker(env):
            wait_until(lambda: applied(env) >= SENT + waiting, 60, "what was skipped in Kafka's eyes")
            send(env, 1)
            wait_until(lambda: applied(env) > SENT + waiting, 60, "one more")
        assert applied(env) == counts(env)["metrics.in"] == SENT + waiting + 1
        check_steps(env)


def test_another_cluster_ends_the_worker_with_both_names(stack, tmp_path):
    with used(stack, tmp_path) as env:
        with opened_stores(env) as stores:
            row = stores.summaries.read_lane(LANE)
        assert row is not None
        why = refusal(env, VIGIA_KAFKA_CLUSTER_ID="another")
        assert f"was filled from Kafka cluster {row.cluster_id}, but this is cluster another" in why


def test_partitions_that_were_added_end_the_worker_with_both_counts(stack, tmp_path):
    with used(stack, tmp_path) as env:
        admin = admin_of(env)
        # all that the agent reads
        names = [env["VIGIA_KAFKA_TOPIC_PREFIX"] + topic for topic in ("metrics", "mutes")]
        for future in admin.create_partitions([NewPartitions(name, 2 * PARTITIONS) for name in names]).values():
            future.result(30)
        why = refusal(env)
        assert f"was filled with {PARTITIONS} partitions a topic, but now there are {2 * PARTITIONS}" in why


def test_a_log_that_was_cut_behind_the_lane_ends_the_worker_with_the_number_of_lost_records(stack, tmp_path):
    with used(stack, tmp_path) as env:
        send(env, 10)
        with opened_stores(env) as stores:
            row = stores.summaries.read_lane(LANE)
        assert row is not None
        # SENT, and the ticks that came to this lane
        end = row.offsets["metrics"]
        admin, cut = admin_of(env), TopicPartition(metrics(env), LANE.partition, end + 4)
        for future in admin.delete_records([cut]).values():
            future.result(30)
        why = refusal(env)
        assert f"has applied metrics up to offset {end}, but Kafka's log now starts at {end + 4}: 4 offsets" in why


@pytest.mark.parametrize("sent", [1, SENT + 1], ids=["shorter", "longer"])
def test_a_topic_that_was_created_anew_ends_the_worker(stack, tmp_path, sent):
    with used(stack, tmp_path) as env:
        create_anew(env)
        send(env, sent)
        why = refusal(env)
        assert "has read topic metrics with the id " in why
        assert "it was created anew" in why


def test_an_aborted_transaction_counts_nothing(stack, tmp_path):
    with fresh_environment(stack, tmp_path, **SETTINGS) as env, worker(env):
        producer = Producer(
            {
                "bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"],
                "transactional.id": env["VIGIA_KAFKA_TOPIC_PREFIX"] + "sender",
                "log_level": 0,
            }
        )
        producer.init_transactions(30)
        for metric, end in (
            ("kept", producer.commit_transaction),
            ("aborted", producer.abort_transaction),
            ("kept", producer.commit_transaction),
        ):
            producer.begin_transaction()
            for _ in range(5):
                event = encoded(sample(time.time(), metric=metric))
                producer.produce(metrics(env), event, b"shop", partition=LANE.partition)
            # else an abort throws away what was never sent
            assert producer.flush(30) == 0
            end(30)
        send(env, 1)
        wait_until(lambda: applied(env) >= 11, 60, "what was committed")
        assert applied(env) == counts(env)["metrics.in"] == 11
        with opened_stores(env) as stores:
            row = stores.summaries.read_lane(LANE)
            assert row is not None
            read = stores.raw_log.read(row.cluster_id, "metrics", LANE.partition, 0)
            # without ticks
            kept = [record for record in read if record.value]
        # the markers that end transactions have offsets of their own
        offsets = [record.offset - kept[0].offset for record in kept]
        assert offsets == [0, 1, 2, 3, 4, 12, 13, 14, 15, 16, 18]
        assert not [record for record in kept if b"aborted" in (record.value or b"")]
