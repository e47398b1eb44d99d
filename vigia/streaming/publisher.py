"""Writes outputs and ticks to Kafka with one idempotent producer a worker, and waits for every acknowledgement."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from vigia.stores.base import OutboxRow
from vigia.stores.errors import Transient
from vigia.streaming.batches import TICK_HEADER


class KafkaPublisher:
    """Publishes for all lanes of a worker; `prefix` goes before every topic's name."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Return when the broker has acknowledged all rows; raises Transient when it has not."""
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
            await asyncio.gather(*acknowledgements)
        except KafkaError as error:
            raise Transient(f"the broker did not acknowledge {len(rows)} outputs: {error!r}") from error

    async def tick(self, topic: str, partition: int) -> None:
        """Append a tick to an input partition; raises Transient when the broker does not acknowledge it."""
        try:
            await self._producer.send_and_wait(
                self._prefix + topic, value=b"", partition=partition, headers=[(TICK_HEADER, b"1")]
            )
        except KafkaError as error:
            raise Transient(f"the broker did not acknowledge a tick: {error!r}") from error
