"""Writes batches of raw events to Cassandra.

Rows of one partition travel together in unlogged batches: for the server that is one mutation, and it takes six times
as many rows a second as single statements. Every write is an upsert with the same content each time, so the order does
not matter, and whatever fails half-way is simply done again.
"""

from collections.abc import Iterator
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

INDEX_ROWS_REMEMBERED = 100_000
"""A thousand services in a hundred blocks; about 25 MB when full."""

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
        index: set[_Values] = set()
        new: list[_Values] = []
        statements = self._packed(batch, index) if batch.packed else self._rows(batch, index)
        # all of these are generators: the first requests are under way while later ones are put together
        self._session.write(chain(statements, self._index_statements(index, new)))
        self._written.add(new)

    def _packed(self, batch: RawBatch, index: set[_Values]) -> Iterator[Any]:
        place = (batch.cluster_id, batch.topic, batch.partition)
        blocks = set()
        for row in packed_rows(batch, self._layout):
            bucket = row.first_offset // self._layout.batch_bucket
            yield self._session.bind(cql.ADD_BATCH, (*place, bucket, *row))
            index.add((cql.ADD_BUCKET, *place, BATCHES, bucket))
            blocks |= blocks_of([row], self._layout)
        for service, hour in hours_of(batch.entries):
            day = hour * HOUR // DAY
            index.add((cql.ADD_DAY, service, day))
            index.update((cql.ADD_BLOCK_TO_SERVICE, service, day, hour, *place, block) for block in blocks)

    def _rows(self, batch: RawBatch, index: set[_Values]) -> Iterator[Any]:
        place = (batch.cluster_id, batch.topic, batch.partition)
        together = _Together()
        for row in event_rows(batch):
            bucket = row.offset // self._layout.event_bucket
            index.add((cql.ADD_BUCKET, *place, ROWS, bucket))
            size = len(row.body or "") + len(row.raw or b"")
            yield from together.add(bucket, self._session.bind(cql.ADD_EVENT, _event_values(place, bucket, row)), size)
            if row.entry is not None:
                service, at, event_id = row.entry.service, row.entry.at, row.entry.event_id
                day = int(at // DAY)
                index.add((cql.ADD_DAY, service, day))
                values = (service, day, _milliseconds(at), *place, row.offset, row.position, event_id, at)
                yield from together.add((service, day), self._session.bind(cql.ADD_EVENT_TO_SERVICE, values), 0)
        yield from together.rest()

    def _index_statements(self, index: set[_Values], new: list[_Values]) -> Iterator[Any]:
        new += self._written.missing(index)
        for text, *values in new:
            yield self._session.bind(str(text), values)


class _Together:
    """Statements by the partition they write to, put together in unlogged batches of bounded size."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[list[Any], int]] = {}

    def add(self, partition: object, statement: Any, size: int) -> Iterator[Any]:
        """Put `statement`, of about `size` bytes, with the others of its partition; return the batch that it fills."""
        statements, total = self._open.pop(partition, ([], 0))
        statements.append(statement)
        if len(statements) >= _BATCH_STATEMENTS or total + size >= _BATCH_BYTES:
            yield _unlogged(statements)
        else:
            self._open[partition] = (statements, total + size)

    def rest(self) -> Iterator[Any]:
        """Return the batches that are not full."""
        for statements, _ in self._open.values():
            yield _unlogged(statements)


def _unlogged(statements: list[Any]) -> Any:
    if len(statements) == 1:
        return statements[0]
    batch = BatchStatement(BatchType.UNLOGGED)
    batch.is_idempotent = True
    batch.add_all(statements, [None] * len(statements))
    return batch


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
