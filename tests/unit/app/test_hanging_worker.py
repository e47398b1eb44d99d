"""A worker process in which something hangs ends with 75, says where, and loses nothing."""

import os
import time

import pytest
from confluent_kafka import Producer

from tests.support.waiting import wait_until
from tests.support.workers import worker
from vigia.app import migrate, open_stores
from vigia.cli.run.broker import EmbeddedBroker, touch_topics
from vigia.feeds.send import PRODUCER_SETTINGS
from vigia.settings import load
from vigia.topics import TOPICS

STUCK_AFTER = 4


@pytest.fixture
def env(tmp_path):
    broker = EmbeddedBroker(tmp_path / "broker.log", os.environ)
    try:
        env = {
            "VIGIA_KAFKA_BOOTSTRAP": broker.bootstrap,
            "VIGIA_KAFKA_CLUSTER_ID": broker.cluster_id,
            "VIGIA_KAFKA_EPHEMERAL": "true",
            "VIGIA_RAW_LOG_URL": f"sqlite:///{tmp_path}/raw.db",
            "VIGIA_SUMMARIES_URL": f"sqlite:///{tmp_path}/summaries.db",
            "VIGIA_DATA_DIR": str(tmp_path),
            "VIGIA_STREAM_RETRY_BUDGET": "0.25",
            "VIGIA_KAFKA_REQUEST_TIMEOUT": "2.5",
            "VIGIA_RAW_LOG_REQUEST_TIMEOUT": "2.5",
            "VIGIA_SUMMARIES_STATEMENT_TIMEOUT": "2.5",
            "VIGIA_OPERATIONS_STUCK_AFTER": str(STUCK_AFTER),
            "VIGIA_OPERATIONS_HEARTBEAT": "0.5",
            "VIGIA_OPERATIONS_OWN_METRICS": "false",
        }
        touch_topics({"bootstrap.servers": broker.bootstrap}, [topic.name for topic in TOPICS])
        migrate(load(env))
        yield env
    finally:
        broker.stop()


@pytest.mark.parametrize(("what", "place"), [("model", "compute_for_ever"), ("store", "never_answer")])
def test_what_hangs_ends_the_worker_with_75_and_is_named(env, what, place):
    stores = open_stores(load(env))
    with worker(env, command=("-m", "tests.support.hanging_worker", what)) as process:
        wait_until(stores.summaries.workers, 20, "a sign of life")
        producer = Producer({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], **PRODUCER_SETTINGS})
        said = f'{{"service":"checkout","metric":"m","ts":{time.time()},"value":1,"event_id":"a"}}'
        producer.produce("metrics", said, key="checkout")
        producer.flush(10)
        assert process.wait_ended(30) == 75
        assert "is stuck after step 0" in process.log
        assert place in process.log
    # nothing was committed, so nothing is lost
    assert all(row.step == 0 for row in stores.summaries.lanes())
    stores.close()
