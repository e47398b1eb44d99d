"""How fetched bytes become records: aiokafka's own way, but batch-wise, as columns, and without what would make it fail
for ever at the same offset.

aiokafka makes an object of each record in Python, which takes a quarter of the metrics agent's time. Here its own loop,
with all that it knows of transactions and holes, is handed each batch as if it were one record (`WholeBatch`).

aiokafka decodes header names as UTF-8 and fails on others; such a batch, and only it, is parsed here once more, with
those names spelt tolerantly. A batch that cannot be parsed at all (damaged, or in an unknown codec) ends a fetch before
it, so that what lies before it is delivered, and raises UnreadableError when a fetch begins with it.

What would surprise: `install` puts the classes into aiokafka's module, since its fetcher takes them from nowhere else.
Not bounded here: a batch is decompressed as a whole before anybody sees a record of it.
"""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from vigia.stores.records import Records

AFTER_LENGTH = 12
"""A batch's length counts what follows these bytes."""

LENGTH_AND_MAGIC = struct.Struct(">8xi4xb")
"""Among a batch's first bytes: its length and the version of its format."""

HAS_HEADERS = 2
"""Version of the format from which on records have headers."""


class UnreadableError(Exception):
    """What the broker has at this place cannot be read."""

    def __init__(self, topic: str, partition: int, offset: int, reason: str) -> None:
        super().__init__(f"topic {topic}, partition {partition}, offset {offset} cannot be read: {reason}")
        self.place = topic, partition, offset


def install() -> None:
    """Let this process's aiokafka consumers parse with the classes below."""
    fetcher.MemoryRecords = FetchedBatches
    fetcher.PartitionRecords = FetchedRecords
    fetcher.FetchResult = FetchResult


class WholeBatch:
    """A batch that gives all its records as one: aiokafka's loop over them turns once."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        """What else there is to know of the batch."""
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator["ParsedRecords"]:
        parsed: list[Any] = []
        failure = None
        try:
            parsed.extend(self._batch)
        except Exception as error:  # noqa: BLE001 - raised below, after what was parsed until then
            failure = error
        if parsed:
            yield ParsedRecords(parsed)
        if failure is not None:
            raise failure

    def __next__(self) -> Any:
        """Return the next record alone: of a control batch the marker."""
        return next(self._batch)


class ParsedRecords:
    """The records of a batch, to aiokafka's loop like a record: it looks at nothing but the offset, here the last."""

    def __init__(self, parsed: list[Any]) -> None:
        self.parsed = parsed
        self.offset = max(record.offset for record in parsed)


class FetchedBatches(MemoryRecords):  # type: ignore[misc] # aiokafka has no types
    """The batches of a fetch, and the bytes that they are parsed from."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data

    def next_batch(self) -> Any:
        batch = super().next_batch()
        return None if batch is None else WholeBatch(batch)


class RepeatedBatches:
    """The batches of a fetch from the first one that reaches `offset`; that one is parsed tolerantly."""

    def __init__(self, data: bytes, offset: int) -> None:
        at = 0
        while True:
            length, magic = LENGTH_AND_MAGIC.unpack_from(data, at)
            end = at + AFTER_LENGTH + length
            if magic >= HAS_HEADERS:
                self._first: TolerantBatch | None = TolerantBatch(data[at:end])
                if self._first.next_offset > offset:
                    break
            at = end
        self.data = data[end:]
        self._others = FetchedBatches(self.data)

    def has_next(self) -> bool:
        return self._first is not None or self._others.has_next()

    def next_batch(self) -> Any:
        if self._first is None:
            return self._others.next_batch()
        first, self._first = self._first, None
        return WholeBatch(first)


class TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # aiokafka has no types
    r"""aiokafka's batch in pure Python, with bytes in header names that are not UTF-8 spelt as `\xff`."""

    _pos: int

    def _read_msg(self) -> Any:
        length = self._varint()
        start = self._pos
        self._pos += 1  # the record's attributes, none of which is in use
        timestamp = self.first_timestamp + self._varint()
        offset = self.base_offset + self._varint()
        if self.timestamp_type == self.LOG_APPEND_TIME:
            timestamp = self.max_timestamp
        key, value = self._nullable(), self._nullable()
        headers = [(self._name(), self._nullable()) for _ in range(self._varint())]
        if self._pos - start != length:
            raise CorruptRecordException(f"a record of {length} bytes has {self._pos - start}")
        return _DefaultRecordPy(offset, timestamp, self.timestamp_type, key, value, headers)

    def _varint(self) -> int:
        value: int
        value, self._pos = decode_varint(self._buffer, self._pos)
        return value

    def _nullable(self) -> bytes | None:
        length = self._varint()
        return None if length < 0 else self._take(length)

    def _name(self) -> str:
        return self._take(self._varint()).decode("utf-8", "backslashreplace")

    def _take(self, length: int) -> bytes:
        start, self._pos = self._pos, self._pos + length
        if not start <= self._pos <= len(self._buffer):
            raise CorruptRecordException(f"a field of {length} bytes does not fit into its record")
        return bytes(self._buffer[start : self._pos])


class FetchedRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka has no types
    """The records of a fetch of one partition; iterates over pieces of it, each a `Records`."""

    _records: FetchedBatches | RepeatedBatches
    _rest: Records | None = None
    exhausted = False

    def take(self, limit: int | None) -> Records:
        """Return the next records, at most `limit`; fewer when there are no more."""
        parts: list[Records] = []
        room = limit
        while not self.exhausted and (room is None or room > 0):
            part = self._rest or next(self, None)
            self._rest = None
            if part is None:
                self.exhausted = True
                break
            if room is not None:
                if len(part) > room:
                    part, self._rest = part[:room], part[room:]
                room -= len(part)
            # where this partition is read on from, should the rest be dropped
            self.next_fetch_offset = part.offsets[-1] + 1
            parts.append(part)
        return Records.joined(parts) if parts else Records.of(())

    def _unpack_records(self) -> Iterator[Any]:
        start = self.next_fetch_offset
        while True:
            try:
                yield from super()._unpack_records()
                return
            except UnicodeDecodeError:
                # only header names are decoded; what was returned of the batch already is skipped by its offset
                self._records = RepeatedBatches(self._records.data, self.next_fetch_offset)
            except MemoryError:
                raise
            except Exception as error:
                # whatever the parser or a codec raises over these bytes, it will raise again
                if self.next_fetch_offset > start:
                    return
                reason = f"{type(error).__name__}: {error}"
                raise UnreadableError(self._tp.topic, self._tp.partition, start, reason) from error

    def _consumer_record(self, tp: Any, record: ParsedRecords) -> Records:
        """Return what aiokafka's loop took for a record as columns, from where the fetch is to go on."""
        records = Records.parsed(tp.topic, tp.partition, record.parsed)
        offsets, first = records.offsets, self.next_fetch_offset
        if offsets[0] >= first and offsets == list(range(offsets[0], offsets[0] + len(offsets))):
            return records
        return Records.parsed(tp.topic, tp.partition, list(_rising(record.parsed, first)))


class FetchResult(fetcher.FetchResult):  # type: ignore[misc] # aiokafka has no types
    """What waits of a fetch of one partition; given out as `Records`."""

    _partition_records: FetchedRecords | None

    def getall(self, max_records: int | None = None) -> Records:
        """Return the next records, at most `max_records`."""
        fetched = self._partition_records
        if fetched is None or not self.check_assignment(self._topic_partition):
            return Records.of(())
        records = fetched.take(max_records)
        self._update_position()
        if fetched.exhausted:
            self._partition_records = None
        return records


def _rising(parsed: list[Any], first: int) -> Iterator[Any]:
    """Leave out what lies before `first` (a batch is fetched whole), and what does not lie behind the record before."""
    for record in parsed:
        if record.offset >= first:
            yield record
            first = record.offset + 1
