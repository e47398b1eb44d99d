"""What travels from the transport to a lane: the records that one fetch returned for one partition."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vigia.stores.base import Record
from vigia.stores.records import Records

TICK_HEADER = "vigia-tick"
"""Marks a record that only moves its lane's clock."""

ORIGIN_HEADER = "vigia-origin"
"""Marks a record that was sent again under its right key; its value names where it came from."""

CUT_HEADER = "vigia-cut"
"""Marks a record in the raw log that was too large to keep; its value has the sizes of value, key and headers."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition.

    `topic` is the topic's name in `vigia/topics.py`. `start` is the offset that was asked for: a lane whose next
    offset is lower has missed something. Offsets inside need not be contiguous (compaction and transaction markers
    leave holes). `generation` is the consumer group's, at the time of the fetch.
    """

    topic: str
    partition: int
    generation: int
    start: int
    records: Records

    @property
    def next_offset(self) -> int:
        """The offset after the last record."""
        return self.records.offsets[-1] + 1


def cut_at(batch: Batch, indexes: Sequence[int]) -> list[Batch]:
    """Return a batch in parts, each from one of the ascending `indexes` of its records to the next."""
    parts, records = [], batch.records
    start = batch.start
    for first, end in pairwise([0, *indexes, len(records)]):
        part = replace(batch, records=records[first:end], start=start)
        parts.append(part)
        start = part.next_offset
    return parts


def header(record: Record, name: str) -> bytes | None:
    """Return the value of a record's first header with this name."""
    for key, value in record.headers:
        if key == name:
            return value
    return None
