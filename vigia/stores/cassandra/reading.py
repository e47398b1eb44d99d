"""Reads raw events back from Cassandra, page by page, so that memory stays bounded however much is read."""

from collections.abc import Iterator
from math import ceil
from typing import Any

from vigia.stores.base import RawRecord
from vigia.stores.cassandra import cql
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.cassandra.writing import BATCHES, DAY, ROWS
from vigia.stores.raw_format import PackedRow
from vigia.stores.raw_layout import HOUR, Layout, read_once, value_of

Place = tuple[str, str, int]
"""Cluster id, topic, partition."""

_EVENT_PAGE = 100
_BATCH_PAGE = 32
"""Rows that come at once; a packed row has up to a megabyte."""

_MAX_OFFSET = 2**63 - 1


class Reader:
    """Reads what `Writer` has written."""

    def __init__(self, session: CassandraSession, layout: Layout) -> None:
        self._session = session
        self._layout = layout

    def events(self, place: Place, first: int, last: int | None) -> Iterator[RawRecord]:
        """Return the records kept in rows, in order of offset."""
        end = _MAX_OFFSET if last is None else last
        for bucket in self._buckets(place, ROWS, self._layout.event_bucket, first, end):
            statement = self._session.bind(cql.EVENTS, (*place, bucket, first, end), _EVENT_PAGE)
            for position, *columns in self._session.rows(statement):
                if position == 0:
                    yield _record(*columns)

    def batches(self, place: Place, first: int, last: int | None) -> Iterator[RawRecord]:
        """Return the records kept in batches, in order of offset."""
        end = _MAX_OFFSET if last is None else last
        return read_once(place[1], place[2], self._packed_rows(place, first, end), first, end)

    def events_of(self, service: str, start: float, end: float) -> Iterator[RawRecord]:
        """Return the records kept in rows that have an event of `service` in [start, end), by event time."""
        statements = (
            self._session.bind(cql.EVENT, (*place, offset // self._layout.event_bucket, offset))
            for place, offset in self._event_places(service, start, end)
        )
        for result in self._session.answers(statements):
            for columns in result:
                yield _record(*columns)

    def blocks_of(self, service: str, first_hour: int, last_hour: int) -> list[tuple[Place, int]]:
        """Return in which blocks of offsets `service` has records kept in batches, by place."""
        found = set()
        for day in self._days(service, first_hour * HOUR // DAY, last_hour * HOUR // DAY):
            statement = self._session.bind(cql.BLOCKS_OF_SERVICE, (service, day, first_hour, last_hour))
            for *place, block in self._session.rows(statement):
                found.add(((*place,), block))
        return sorted(found)

    def _event_places(self, service: str, start: float, end: float) -> Iterator[tuple[Place, int]]:
        seen = set()
        milliseconds = (int(start * 1000), ceil(end * 1000))
        for day in self._days(service, int(start // DAY), int(end // DAY)):
            statement = self._session.bind(cql.EVENTS_OF_SERVICE, (service, day, *milliseconds))
            for occurred_at, *place, offset in self._session.rows(statement):
                found = ((*place,), offset)
                if start <= occurred_at < end and found not in seen:
                    seen.add(found)
                    yield found

    def _days(self, service: str, first: int, last: int) -> Iterator[int]:
        for (day,) in self._session.rows(self._session.bind(cql.DAYS, (service, first, last))):
            yield day

    def _buckets(self, place: Place, layout: str, size: int, first: int, last: int) -> Iterator[int]:
        statement = self._session.bind(cql.BUCKETS, (*place, layout, first // size, last // size))
        for (bucket,) in self._session.rows(statement):
            yield bucket

    def _packed_rows(self, place: Place, first: int, last: int) -> Iterator[PackedRow]:
        size = self._layout.batch_bucket
        for bucket in self._buckets(place, BATCHES, size, first, last):
            start = self._covering(place, bucket, first) if bucket == first // size else 0
            statement = self._session.bind(cql.BATCHES, (*place, bucket, start, last), _BATCH_PAGE)
            yield from map(PackedRow._make, self._session.rows(statement))

    def _covering(self, place: Place, bucket: int, offset: int) -> int:
        """Return where the earliest row begins that holds `offset` or, when none does, `offset` itself.

        Only the rows' ends are fetched for that, not their bodies.
        """
        earliest = max(offset - self._layout.row_span, 0)
        rows: Iterator[Any] = self._session.rows(self._session.bind(cql.BATCH_ENDS, (*place, bucket, earliest, offset)))
        return min((first for first, last in rows if last >= offset), default=offset)


def _record(  # noqa: PLR0913, PLR0917 - the columns of a row
    topic: str,
    partition: int,
    offset: int,
    kafka_time: bytes,
    key: bytes | None,
    headers: list[tuple[str, bytes]] | None,
    body: str | None,
    raw: bytes | None,
) -> RawRecord:
    timestamp = int.from_bytes(kafka_time, "big", signed=True)
    return RawRecord(topic, partition, offset, timestamp, key, value_of(body, raw), tuple(headers or ()))
