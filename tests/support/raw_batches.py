"""Record batches as no usual client makes them, but as they can lie on a broker: odd header names, damage."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
CRC_AT, ATTRIBUTES_AT, RECORDS_AT = 17, 21, 61
"""Where in a batch its checksum, its attributes and its (possibly compressed) records begin."""


class RawName(str):
    """A header's name that is sent as the bytes it was made of."""

    __slots__ = ("raw",)
    raw: bytes

    def __new__(cls, raw: bytes) -> Self:
        name = super().__new__(cls, repr(raw))
        name.raw = raw
        return name

    def encode(self, *_: str) -> bytes:
        """Return the name as it is sent."""
        return self.raw


class Plain(NamedTuple):
    """A record to send."""

    value: bytes | None
    key: bytes | None = b"shop"
    headers: Sequence[tuple[str, bytes | None]] = ()


def record_batch(records: Sequence[Plain], base: int = 0, codec: int = NONE, now: int = 1_000) -> bytes:
    """Return a batch as it lies on a broker from offset `base` on; `now` is in epoch milliseconds."""
    made = bytearray(_builder(records, codec, now).build())
    struct.pack_into(">q", made, 0, base)
    return bytes(made)


def resealed(batch: bytes, change: Callable[[bytearray], object]) -> bytes:
    """Return the batch with a change and the checksum of its new content."""
    changed = bytearray(batch)
    change(changed)
    struct.pack_into(">I", changed, CRC_AT, calc_crc32c(bytes(changed[ATTRIBUTES_AT:])))
    return bytes(changed)


def damaged(batch: bytes) -> bytes:
    """Return the batch with its last bit turned, which its checksum tells."""
    return batch[:-1] + bytes([batch[-1] ^ 1])


def send_batch(
    bootstrap: str,
    topic: str,
    partition: int,
    records: Sequence[Plain],
    change: Callable[[bytes], bytes] = bytes,
    now: int | None = None,
) -> int:
    """Send records in one batch, whose bytes `change` may change; returns the first one's offset.

    `topic` is the name on the broker.
    """

    class Builder:
        def __init__(self, made: Any) -> None:
            self._made = made

        def build(self) -> bytearray:
            return bytearray(change(bytes(self._made.build())))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._made, name)

    async def send() -> int:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await producer.start()
        try:
            batch = producer.create_batch()
            batch._builder = Builder(_builder([], NONE, now))
            for record in records:
                batch.append(timestamp=now, key=record.key, value=record.value, headers=list(record.headers))
            batch.close()
            delivered = await (await producer.send_batch(batch, topic, partition=partition))
        finally:
            await producer.stop()
        return int(delivered.offset)

    return asyncio.run(send())


def _builder(records: Sequence[Plain], codec: int, now: int | None) -> Any:
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 10_000_000)
    for number, record in enumerate(records):
        builder.append(number, now, record.key, record.value, list(record.headers))
    return builder
