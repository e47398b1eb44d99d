"""How the raw log lays records out, the same in every implementation: rows, index references, and the way back.

Two layouts. *Rows*: one readable row an event; the row at position 0 also carries what belongs to the whole record,
so every record has one. *Batches*: one packed row for many records (`raw_format`). A batch that is fetched again may be
cut at other offsets, so packed rows may overlap: `read_once` moves a cursor over them and gives each record once.
"""

import heapq
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import NamedTuple

import msgspec

from vigia.events.times import EARLIEST, LATEST
from vigia.stores.base import RawBatch, RawEntry, RawRecord, Record
from vigia.stores.errors import Unusable
from vigia.stores.raw_format import MAX_RECORD, PackedRow, compress, decompress, pack, unpack
from vigia.stores.records import Records

MAX_EVENTS = 10_000
"""Most events of one record that get a row each; `events.decoding` refuses records with more."""

HOUR = 3_600

_BESIDES = 16
"""Bytes that a record, and each of its headers, is counted with besides what it holds."""

_raws = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of the layout, in offsets unless said otherwise. Part of the stored format: only tests choose others.

    `event_bucket`: what one partition of event rows spans. One record may be an array of thousands of events, so it is
    small: 1,000 records of 100 events are 100,000 rows. `batch_bucket`: what one partition of packed rows spans: 6 MB
    of single samples, 100 MB of packed ones (100 points, 400 bytes compressed). `block`: what one row of the index by
    service and hour points to. `row_span` and `row_bytes` (before compression) bound a packed row; the span also bounds
    how far before a wanted offset a row that holds it can begin.
    """

    event_bucket: int = 1_000
    batch_bucket: int = 250_000
    block: int = 100_000
    row_span: int = 10_000
    row_bytes: int = 1024 * 1024

    def __post_init__(self) -> None:
        if min(self.event_bucket, self.batch_bucket, self.row_bytes, self.row_span) < 1 or self.row_span > self.block:
            raise ValueError("sizes are positive, and a row spans no more than a block")


class EventRow(NamedTuple):
    """One event of a record, or a record without events. `key`, `headers` and `raw` only at position 0.

    `body` is the text of the event. The record's value is `raw` (compressed) where there is one, else the body; both
    are None for a null value.
    """

    offset: int
    position: int
    timestamp: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    entry: RawEntry | None
    body: str | None
    raw: bytes | None


def event_rows(batch: RawBatch) -> Iterator[EventRow]:
    """Return the rows of a batch kept in rows, in order of (offset, position)."""
    entries: dict[int, dict[int, RawEntry]] = {}
    for entry in batch.entries:
        entries.setdefault(entry.offset, {})[entry.position] = entry
    for record in batch.records:
        _check_size(batch, record)
        found = entries.get(record.offset, {})
        body, *rest = _texts(record.value, split=bool(found))
        whole = record.value if rest or body is None else None
        raw = None if whole is None else compress(whole)
        headers = tuple(record.headers)
        yield EventRow(record.offset, 0, record.timestamp, record.key, headers, found.pop(0, None), body, raw)
        for position, text in enumerate(rest, start=1):
            yield EventRow(record.offset, position, record.timestamp, None, (), found.pop(position, None), text, None)
        # an entry without a text of its own (an array that could not be split) is still to be found
        for position, entry in sorted(found.items()):
            yield EventRow(record.offset, position, record.timestamp, None, (), entry, None, None)


def _texts(value: bytes | None, *, split: bool) -> Sequence[str | None]:
    """Return the text of each event in a value; one None when it is null or no text."""
    try:
        text = None if value is None else value.decode()
    except UnicodeDecodeError:
        return [None]
    if text is None or not split or not text.lstrip(" \t\r\n").startswith("["):
        return [text]
    try:
        raws = _raws.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return [text]
    # one event in brackets keeps them: its text is the value, and nothing has to be kept beside it
    return [bytes(raw).decode() for raw in raws] if 1 < len(raws) <= MAX_EVENTS else [text]


def value_of(body: str | None, raw: bytes | None) -> bytes | None:
    """Return a record's value from the two columns of its row at position 0."""
    if raw is not None:
        return decompress(raw)
    return None if body is None else body.encode()


def packed_rows(batch: RawBatch, layout: Layout) -> Iterator[PackedRow]:
    """Return the rows of a batch kept in batches, cut by nothing but the records themselves.

    No row crosses a bucket, `layout.row_span` offsets or, if it has more than one record, `layout.row_bytes`.
    """
    records = Records.of(batch.records)
    offsets = records.offsets
    start = 0
    while start < len(records):
        first = offsets[start]
        limit = min(first + layout.row_span, (first // layout.batch_bucket + 1) * layout.batch_bucket)
        stop = len(records)
        if offsets[stop - 1] >= limit:
            stop = bisect_left(offsets, limit, lo=start)
        part = records[start:stop]
        fitting = _fitting(batch, part, layout.row_bytes)
        yield pack(part[:fitting])
        start += fitting


def _fitting(batch: RawBatch, part: Records, limit: int) -> int:
    """Return how many records from the first on fit into a row of at most `limit` bytes, at least one."""
    total = sum(sum(map(len, filter(None, column))) for column in (part.values, part.keys)) + len(part) * _BESIDES
    if total <= min(limit, MAX_RECORD) and part.headers is None:
        return len(part)
    sizes = [len(record.value or b"") + len(record.key or b"") + _headers_size(record) + _BESIDES for record in part]
    if max(sizes) > MAX_RECORD:
        for record in part:
            _check_size(batch, record)
    return max(bisect_right(list(accumulate(sizes)), limit), 1)


def _headers_size(record: Record) -> int:
    return sum(len(name) + len(value or b"") + _BESIDES for name, value in record.headers)


def _check_size(batch: RawBatch, record: Record) -> None:
    size = len(record.value or b"") + len(record.key or b"") + _headers_size(record)
    if size > MAX_RECORD - _BESIDES:
        raise Unusable(
            f"the record {batch.topic}/{batch.partition}/{record.offset} has {size} bytes; the raw log keeps at most "
            f"{MAX_RECORD}: lower the topic's max.message.bytes"
        )


def blocks_of(rows: Iterable[PackedRow], layout: Layout) -> set[int]:
    """Return the index blocks that the rows lie in; a row spans at most a block, so its ends name them."""
    return {offset // layout.block for row in rows for offset in (row.first_offset, row.last_offset)}


def hours_of(entries: Iterable[RawEntry]) -> set[tuple[str, int]]:
    """Return the (service, hour since 1970) pairs that the entries of a batch name."""
    return {(entry.service, int(entry.at // HOUR)) for entry in entries}


def period(start: float, end: float) -> tuple[float, float]:
    """Return [start, end) without what lies outside all events' times, so that infinite bounds do no harm."""
    return max(start, EARLIEST), min(end, LATEST)


def hours_in(start: float, end: float) -> tuple[int, int]:
    """Return the first and last hour since 1970 that [start, end) touches."""
    return int(start // HOUR), ceil(end / HOUR) - 1


def read_once(topic: str, partition: int, rows: Iterable[PackedRow], first: int, last: int) -> Iterator[RawRecord]:
    """Return the records with first <= offset <= last, once each; `rows` are ordered by first and last offset.

    Each row must hold all records between its ends, so the topic's cleanup policy is `delete`, not `compact`.
    """
    cursor = first
    for row in rows:
        if row.last_offset < cursor:
            continue
        for record in unpack(topic, partition, row):
            if record.offset > last:
                return
            if record.offset >= cursor:
                yield record
        cursor = row.last_offset + 1


def merge_once(*sources: Iterator[RawRecord]) -> Iterator[RawRecord]:
    """Return the records of sources that are each in order of offset, each offset once: a topic's layout may change."""
    previous = -1
    for record in heapq.merge(*sources, key=lambda record: record.offset):
        if record.offset != previous:
            yield record
        previous = record.offset


class ServiceFilter:
    """Tells the packed records that may concern a service.

    A record counts when its key is the service's name, or when the name occurs as a JSON string in its value, in UTF-8
    or in ASCII with escapes; nothing keyed or spelt like that is missed. Packed records are not decoded here, so a
    mention that means something else passes too: a caller who needs certainty, or exact times, decodes what it gets.
    """

    def __init__(self, service: str) -> None:
        self._key = service.encode()
        self._texts = {json.dumps(service, ensure_ascii=ascii_only).encode() for ascii_only in (False, True)}

    def __call__(self, record: RawRecord) -> bool:
        """Return whether the record may concern the service."""
        value = record.value
        return record.key == self._key or (value is not None and any(text in value for text in self._texts))
