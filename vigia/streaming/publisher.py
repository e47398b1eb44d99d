"""Writes outputs and ticks to Kafka with one idempotent producer a worker, and waits for every acknowledgement.

Each acknowledgement tells of Kafka's time, where the broker gives records theirs. What no retry can help, a missing
right or a record that the broker finds too large, needs a person.
"""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import RecordMetadata

from vigia.stores.base import OutboxRow
from vigia.stores.errors import StoreError, Transient, Unusable
from vigia.streaming.batches import TICK_HEADER
from vigia.streaming.kafka_clock import KafkaClock

REMEDIES: tuple[tuple[tuple[type[KafkaError], ...], str], ...] = (
    (
        (TopicAuthorizationFailedError, ClusterAuthorizationFailedError, TransactionalIdAuthorizationFailed),
        "the broker does not let this worker write: grant its user WRITE on Vigia's topics and IDEMPOTENT_WRITE",
    ),
    (
        (MessageSizeTooLargeError, RecordListTooLargeError),
        "a record, or a batch of them, is larger than the broker takes: raise max.message.bytes of its topic",
    ),
    ((InvalidTopicError,), "the broker does not accept the topic's name: change kafka.topic_prefix"),
)
"""The errors that stay, and what helps."""

LOG_APPEND_TIME = 1
"""How a record's time is marked that the broker gave."""

MOCK_STAMP = 1234
"""What librdkafka's mock broker, which the embedded way uses, says of every record (`rd_kafka_mock_handle_Produce`)."""


class KafkaPublisher:
    """Publishes for all lanes of a worker; `prefix` goes before every topic's name, `clock` learns Kafka's time."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, clock: KafkaClock) -> None:
        self._producer = producer
        self._prefix = prefix
        self._clock = clock

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Return when the broker has acknowledged all rows; raises Transient when it has not, and Unusable
        when it never will.
        """
        sent = self._clock.wall()
        try:
            acknowledgements = [
                await self._producer.send(
                    self._prefix + row.topic,
                    value=row.value,
                    key=row.key,
                    partition=row.partition,
                    headers=list(row.headers),
                )
                for row in rows
            ]
            stored = await asyncio.gather(*acknowledgements)
        except KafkaError as error:
            topics = ", ".join(sorted({self._prefix + row.topic for row in rows}))
            raise _failure(f"{len(rows)} outputs to {topics}", error) from error
        self._learn(sent, stored)

    async def tick(self, topic: str, partition: int) -> None:
        """Append a tick to an input partition; raises as `publish` does when the broker does not acknowledge it."""
        sent = self._clock.wall()
        try:
            stored = await self._producer.send_and_wait(
                self._prefix + topic, value=b"", partition=partition, headers=[(TICK_HEADER, b"1")]
            )
        except KafkaError as error:
            raise _failure(f"a tick to {self._prefix}{topic}", error) from error
        self._learn(sent, [stored])

    def _learn(self, sent: float, stored: Sequence[RecordMetadata]) -> None:
        # a record that was there already when it was sent again has no time of the broker
        stamps = [
            each.timestamp for each in stored if each.timestamp_type == LOG_APPEND_TIME and each.timestamp != MOCK_STAMP
        ]
        if stamps:
            self._clock.learn(sent, max(stamps) / 1000)


def _failure(what: str, error: KafkaError) -> StoreError:
    for kinds, remedy in REMEDIES:
        if isinstance(error, kinds):
            return Unusable(f"{what} cannot be written: {remedy} ({error!r})")
    return Transient(f"the broker did not acknowledge {what}: {error!r}")
