"""Writes batches of raw events to Cassandra.

Rows of one partition travel together in unlogged batches: for the server that is one mutation, and it takes six times
as many rows a second as single statements. Every write is an upsert with the same content each time, so the order does
not matter, and whatever fails half-way is simply done again.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from cassandra.query import UNSET_VALUE, BatchStatement, BatchType

from vigia.stores.base import RawBatch
from vigia.stores.cassandra import cql
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.cassandra.written import Written
from vigia.stores.raw_layout import HOUR, EventRow, Layout, blocks_of, event_rows, hours_of, packed_rows

ROWS = "rows"
BATCHES = "batches"
"""The names of the two layouts in `raw_log_buckets`."""

DAY = 24 * HOUR

INDEX_ROWS_REMEMBERED = 200_000
"""A thousand services in fifty blocks each; about 40 MB when full."""

_BATCH_STATEMENTS = 100
_BATCH_BYTES = 128 * 1024

_Values = tuple[object, ...]


class Writer:
    """Appends batches; index rows that were written before are not written again."""

    def __init__(self, session: CassandraSession, layout: Layout) -> None:
        self._session = session
        self._layout = layout
        self._written = Written(INDEX_ROWS_REMEMBERED)

    def append(self, batch: RawBatch) -> None:
        """Keep the records of `batch`, and where to find them."""
        if batch.packed:
            statements, index = self._packed(batch)
        else:
            statements, index = self._rows(batch)
        new = self._written.missing(index)
        self._session.write(chain(statements, (self._session.bind(str(text), values) for text, *values in new)))
        self._written.add(new)

    def _packed(self, batch: RawBatch) -> tuple[Iterable[Any], set[_Values]]:
        place = (batch.cluster_id, batch.topic, batch.partition)
        rows = list(packed_rows(batch, self._layout))
        buckets = [row.first_offset // self._layout.batch_bucket for row in rows]
        statements = [
            self._session.bind(cql.ADD_BATCH, (*place, bucket, *row)) for bucket, row in zip(buckets, rows, strict=True)
        ]
        index: set[_Values] = {(cql.ADD_BUCKET, *place, BATCHES, bucket) for bucket in buckets}
        blocks = blocks_of(rows, self._layout)
        for service, hour in hours_of(batch.entries):
            day = hour * HOUR // DAY
            index.add((cql.ADD_DAY, service, day))
            index.update((cql.ADD_BLOCK_TO_SERVICE, service, day, hour, *place, block) for block in blocks)
        return statements, index

    def _rows(self, batch: RawBatch) -> tuple[Iterable[Any], set[_Values]]:
        place = (batch.cluster_id, batch.topic, batch.partition)
        together = _Together()
        index: set[_Values] = set()
        for row in event_rows(batch):
            bucket = row.offset // self._layout.event_bucket
            index.add((cql.ADD_BUCKET, *place, ROWS, bucket))
            size = len(row.body or "") + len(row.raw or b"")
            together.add(bucket, self._session.bind(cql.ADD_EVENT, _event_values(place, bucket, row)), size)
            entry = row.entry
            if entry is None:
                continue
            day = int(entry.at // DAY)
            index.add((cql.ADD_DAY, entry.service, day))
            values = (
                entry.service,
                day,
                _milliseconds(entry.at),
                *place,
                row.offset,
                row.position,
                entry.event_id,
                entry.at,
            )
            together.add((entry.service, day), self._session.bind(cql.ADD_EVENT_TO_SERVICE, values), 0)
        return together.statements(), index


class _Together:
    """Statements by the partition they write to, in unlogged batches of bounded size."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[list[Any], int]] = {}
        self._full: list[list[Any]] = []

    def add(self, partition: object, statement: Any, size: int) -> None:
        """Put `statement`, of about `size` bytes, with the others of its partition."""
        statements, total = self._open.get(partition, ([], 0))
        statements.append(statement)
        self._open[partition] = (statements, total + size)
        if len(statements) >= _BATCH_STATEMENTS or total + size >= _BATCH_BYTES:
            self._full.append(statements)
            del self._open[partition]

    def statements(self) -> Iterator[Any]:
        """Return what is to be sent."""
        for statements in chain(self._full, (statements for statements, _ in self._open.values())):
            if len(statements) == 1:
                yield statements[0]
                continue
            batch = BatchStatement(BatchType.UNLOGGED)
            batch.is_idempotent = True
            batch.add_all(statements, [None] * len(statements))
            yield batch


def _event_values(place: tuple[str, str, int], bucket: int, row: EventRow) -> _Values:
    entry = row.entry
    # a null would be stored as a deletion; what is not set is simply not there
    return (
        *place,
        bucket,
        row.offset,
        row.position,
        row.timestamp,
        UNSET_VALUE if row.key is None else row.key,
        row.headers or UNSET_VALUE,
        entry.service if entry else UNSET_VALUE,
        _milliseconds(entry.at) if entry else UNSET_VALUE,
        entry.event_id if entry else UNSET_VALUE,
        UNSET_VALUE if row.body is None else row.body,
        UNSET_VALUE if row.raw is None else row.raw,
    )


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
