"""Records as columns: a fetch of ten thousand records is a handful of lists.

To make an object of each record takes longer than to decode it, and hardly any code looks at one alone. So records
travel from the fetch to the raw log as columns; who indexes or iterates gets them as `RawRecord`s, made at that moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, TypeVar, overload

from vigia.stores.base import RawRecord, Record

Headers = Sequence[tuple[str, bytes]]
T = TypeVar("T")

_offset, _timestamp = attrgetter("offset"), attrgetter("timestamp")
_key, _value, _headers = attrgetter("key"), attrgetter("value"), attrgetter("headers")


class Records(Sequence[Record]):
    """Records of one partition: `offsets[i]`, `timestamps[i]` and so on are those of record i.

    `headers` is None when no record has any.
    """

    __slots__ = ("headers", "keys", "offsets", "partition", "timestamps", "topic", "values")

    def __init__(
        self,
        topic: str,
        partition: int,
        offsets: Sequence[int],
        timestamps: Sequence[int],
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Sequence[Headers] | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.offsets = offsets
        self.timestamps = timestamps
        self.keys = keys
        self.values = values
        self.headers = headers

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Records":
        """Return records, all of one partition, as columns; the same object when they are."""
        if isinstance(records, Records):
            return records
        topic, partition = (records[0].topic, records[0].partition) if records else ("", 0)
        return cls.parsed(topic, partition, records)

    @classmethod
    def parsed(cls, topic: str, partition: int, records: Sequence[Any]) -> "Records":
        """Return what a parser made of one partition's bytes as columns."""
        headers = list(map(_headers, records))
        return cls(
            topic,
            partition,
            list(map(_offset, records)),
            list(map(_timestamp, records)),
            list(map(_key, records)),
            list(map(_value, records)),
            headers if any(headers) else None,
        )

    @classmethod
    def joined(cls, parts: Sequence["Records"]) -> "Records":
        """Return one or more pieces of one partition, end to end."""
        if len(parts) == 1:
            return parts[0]
        headers = None
        if any(part.headers for part in parts):
            headers = _flat(part.headers or [()] * len(part) for part in parts)
        return cls(
            parts[0].topic,
            parts[0].partition,
            _flat(part.offsets for part in parts),
            _flat(part.timestamps for part in parts),
            _flat(part.keys for part in parts),
            _flat(part.values for part in parts),
            headers,
        )

    @property
    def value_bytes(self) -> int:
        """The size of all values together."""
        return sum(map(len, filter(None, self.values)))

    @overload
    def __getitem__(self, at: int) -> RawRecord: ...
    @overload
    def __getitem__(self, at: slice) -> "Records": ...
    def __getitem__(self, at: int | slice) -> "RawRecord | Records":
        headers = self.headers
        if isinstance(at, slice):
            return Records(
                self.topic,
                self.partition,
                self.offsets[at],
                self.timestamps[at],
                self.keys[at],
                self.values[at],
                headers and headers[at],
            )
        return RawRecord(
            self.topic,
            self.partition,
            self.offsets[at],
            self.timestamps[at],
            self.keys[at],
            self.values[at],
            tuple(headers[at]) if headers else (),
        )

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[RawRecord]:
        headers = map(tuple, self.headers) if self.headers else repeat(())
        columns = (self.offsets, self.timestamps, self.keys, self.values, headers)
        return map(RawRecord, repeat(self.topic), repeat(self.partition), *columns)


def _flat(parts: Iterable[Iterable[T]]) -> list[T]:
    return list(chain.from_iterable(parts))
