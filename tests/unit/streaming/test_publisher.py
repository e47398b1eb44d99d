"""The publisher waits for every acknowledgement, keeps the order, and says which failures may pass."""

import asyncio
from typing import Any

import confluent_kafka
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import RecordMetadata

from tests.support.fakes.clock import run
from vigia.stores.base import OutboxRow
from vigia.stores.errors import Transient, Unusable
from vigia.streaming.batches import TICK_HEADER
from vigia.streaming.kafka_clock import KafkaClock
from vigia.streaming.publisher import KafkaPublisher

NOON = 1_700_000_000.0
KAFKAS_TIME = NOON - 400.0
ROWS = [OutboxRow(n, "risk", b"k", str(n).encode(), (("h", b"v"),), None if n else 3) for n in range(3)]


class Producer:
    """Acknowledges each record after a while, or fails the one with this number."""

    def __init__(
        self, fails: int | None = None, error: type[KafkaError] = KafkaTimeoutError, stamped: bool = True
    ) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.acknowledged = 0
        self.fails = fails
        self.error = error
        self.stamped = stamped

    async def send(self, topic: str, **record: Any) -> "asyncio.Future[RecordMetadata]":
        number = len(self.sent)
        self.sent.append((topic, record))
        return asyncio.ensure_future(self._acknowledge(number))

    async def send_and_wait(self, topic: str, **record: Any) -> RecordMetadata:
        return await (await self.send(topic, **record))

    async def _acknowledge(self, number: int) -> RecordMetadata:
        await asyncio.sleep(1 + number)
        if number == self.fails:
            raise self.error
        self.acknowledged += 1
        stamp = round(KAFKAS_TIME * 1000) if self.stamped else round(NOON * 1000)
        return RecordMetadata("t", 0, None, 7, stamp, 1 if self.stamped else 0, 0)


def clock() -> KafkaClock:
    return KafkaClock(lambda: NOON, lambda: 0.0)


def test_all_rows_are_sent_in_order_and_acknowledged_when_it_returns():
    producer = Producer()
    run(KafkaPublisher(producer, "test-", clock()).publish(ROWS))
    assert [(topic, record["value"], record["partition"]) for topic, record in producer.sent] == [
        ("test-risk", b"0", 3),
        ("test-risk", b"1", None),
        ("test-risk", b"2", None),
    ]
    assert producer.sent[0][1]["headers"] == [("h", b"v")]
    assert producer.acknowledged == 3


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_record_that_is_not_acknowledged_fails_them_all_for_another_try(fails):
    with pytest.raises(Transient, match="3 outputs"):
        run(KafkaPublisher(Producer(fails), "", clock()).publish(ROWS))


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (TopicAuthorizationFailedError, "grant"),
        (ClusterAuthorizationFailedError, "grant"),
        (MessageSizeTooLargeError, "max.message.bytes"),
        (RecordListTooLargeError, "max.message.bytes"),
    ],
)
def test_what_no_retry_can_help_needs_a_person(error, remedy):
    with pytest.raises(Unusable, match=rf"3 outputs to test-risk .*{remedy}"):
        run(KafkaPublisher(Producer(1, error), "test-", clock()).publish(ROWS))
    with pytest.raises(Unusable, match=rf"tick to test-metrics .*{remedy}"):
        run(KafkaPublisher(Producer(0, error), "test-", clock()).tick("metrics", 2))


def test_a_tick_goes_to_its_partition_and_is_marked():
    producer = Producer()
    run(KafkaPublisher(producer, "test-", clock()).tick("metrics", 2))
    ((topic, record),) = producer.sent
    assert (topic, record["partition"], record["headers"]) == ("test-metrics", 2, [(TICK_HEADER, b"1")])
    with pytest.raises(Transient, match="tick"):
        run(KafkaPublisher(Producer(0), "", clock()).tick("metrics", 2))


@pytest.mark.parametrize("stamped", [True, False])
def test_acknowledgements_tell_of_kafkas_time_where_the_broker_gives_records_theirs(stamped):
    for send in (lambda to: to.publish(ROWS), lambda to: to.tick("metrics", 2)):
        learns = clock()
        run(send(KafkaPublisher(Producer(stamped=stamped), "", learns)))
        assert learns.now() == pytest.approx(KAFKAS_TIME if stamped else NOON, abs=0.002)


def test_the_mock_brokers_acknowledgements_tell_nothing_of_time():
    async def acknowledged(address):
        producer = AIOKafkaProducer(bootstrap_servers=address)
        await producer.start()
        try:
            await KafkaPublisher(producer, "", learns).tick("metrics", 2)
        finally:
            await producer.stop()

    learns = clock()
    broker = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 2})
    (node,) = broker.list_topics(timeout=10).brokers.values()
    asyncio.run(acknowledged(f"{node.host}:{node.port}"))
    assert learns.now() == NOON
