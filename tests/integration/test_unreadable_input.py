"""A batch that is damaged on the broker: the worker says where, with the exit code for a person.

A real broker refuses such batches, disks and networks make them; the embedded broker takes what it is given.
"""

import os
import time

import pytest

from tests.support import counts, start_worker, wait_until
from tests.support.bad_case import PARTITIONS, encoded, sample
from tests.support.raw_batches import Plain, damaged, send_batch
from vigia.app import migrate
from vigia.cli.run.broker import EmbeddedBroker, touch_topics
from vigia.settings import load
from vigia.streaming.partitions import partition_of
from vigia.streaming.transport import READ_ATTEMPTS
from vigia.topics import TOPICS

NEEDS_PERSON = 78


@pytest.fixture
def env(tmp_path):
    broker = EmbeddedBroker(tmp_path / "broker.log", dict(os.environ))
    try:
        env = {
            "VIGIA_KAFKA_BOOTSTRAP": broker.bootstrap,
            "VIGIA_KAFKA_CLUSTER_ID": broker.cluster_id,
            "VIGIA_KAFKA_EPHEMERAL": "true",
            "VIGIA_RAW_LOG_URL": f"sqlite:///{tmp_path}/raw.db",
            "VIGIA_SUMMARIES_URL": f"sqlite:///{tmp_path}/summaries.db",
            "VIGIA_DATA_DIR": str(tmp_path),
            "VIGIA_OPERATIONS_OWN_METRICS": "false",
        }
        settings = load(env)
        touch_topics(settings.kafka.confluent_config(), [topic.name for topic in TOPICS])
        migrate(settings)
        yield env
    finally:
        broker.stop()


def test_a_damaged_batch_ends_the_worker_with_its_place(env):
    good = [Plain(encoded(sample(time.time(), metric=name))) for name in ("a", "b")]
    partition = partition_of(b"shop", PARTITIONS)
    one = start_worker(env)
    try:
        one.wait_ready()
        send_batch(env["VIGIA_KAFKA_BOOTSTRAP"], "metrics", partition, good)
        wait_until(lambda: counts(env)["metrics.applied"] == len(good), 30, "what is whole")
        at = send_batch(env["VIGIA_KAFKA_BOOTSTRAP"], "metrics", partition, good, damaged)
        code = one.wait_ended(60)
    finally:
        if one.running:
            one.kill()
    assert code == NEEDS_PERSON, one.log
    (line,) = [line for line in one.log.splitlines() if " CRITICAL " in line]
    assert f"topic metrics, partition {partition}, offset {at} cannot be read: CorruptRecordException" in line
    assert one.log.count("fetching it again") == READ_ATTEMPTS - 1
