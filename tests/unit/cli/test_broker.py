"""The embedded broker: a process of its own that has all topics, and ends with the run."""

import os
from pathlib import Path

import pytest
from confluent_kafka import Producer

from vigia.cli.exits import BUG, RunFailed
from vigia.cli.run.broker import BrokerDown, EmbeddedBroker, EndOffsets, ask_cluster_id, touch_topics
from vigia.events.samples import Sample
from vigia.feeds.send import PRODUCER_SETTINGS, Sender
from vigia.streaming.partitions import partition_of

CLOSED_PORT = {"bootstrap.servers": "127.0.0.1:1"}


@pytest.fixture
def broker(tmp_path):
    broker = EmbeddedBroker(tmp_path / "log" / "broker.log", os.environ)
    yield broker
    broker.stop()


@pytest.fixture
def connection(broker):
    return {"bootstrap.servers": broker.bootstrap}


def test_its_topics_have_four_empty_partitions_once_they_were_asked_for(connection):
    touch_topics(connection, ["metrics", "feedback"])
    ends = EndOffsets(connection).read((topic, number) for topic in ("metrics", "feedback") for number in range(4))
    assert set(ends.values()) == {0}
    assert len(ends) == 8


def test_what_a_feed_sends_is_counted_by_the_broker_in_the_partition_of_its_key(connection):
    touch_topics(connection, ["test-metrics"])
    producer = Producer({**connection, **PRODUCER_SETTINGS, "log_level": 0})
    sender = Sender(producer, dict, lambda _: False, physical=lambda topic: f"test-{topic}")
    for _ in range(10):
        sender.send("metrics", "checkout", Sample(service="checkout", metric="m", ts=1.0, value=1.0))
    sender.flush(30.0)
    assert sender.sent == {"metrics": 10}
    ends = EndOffsets(connection, "test-").read(("metrics", number) for number in range(4))
    assert ends.pop(("metrics", partition_of(b"checkout", 4))) == 10
    assert set(ends.values()) == {0}


def test_every_start_is_another_cluster(broker, tmp_path):
    other = EmbeddedBroker(tmp_path / "log" / "other.log", os.environ)
    other.stop()
    assert broker.cluster_id.startswith("embedded-")
    assert broker.cluster_id != other.cluster_id


def test_it_ends_when_it_is_told_to(broker):
    broker.check()
    broker.stop()
    with pytest.raises(RunFailed, match="ended with 0") as failed:
        broker.check()
    assert failed.value.code == BUG


def test_a_broker_that_does_not_answer_is_down(monkeypatch):
    monkeypatch.setattr("vigia.cli.run.broker.ANSWER_SECONDS", 0.2)
    with pytest.raises(BrokerDown, match=r"127\.0\.0\.1:1 does not answer"):
        ask_cluster_id(CLOSED_PORT)
    with pytest.raises(BrokerDown):
        EndOffsets(CLOSED_PORT).read([("metrics", 0)])


def test_a_broker_that_cannot_start_is_explained_with_its_log(tmp_path, monkeypatch):
    (tmp_path / "confluent_kafka.py").write_text("raise ImportError('no librdkafka here')")
    with pytest.raises(RunFailed, match="no librdkafka here"):
        EmbeddedBroker(Path(tmp_path / "broker.log"), {**os.environ, "PYTHONPATH": str(tmp_path)})
