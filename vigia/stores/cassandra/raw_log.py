"""The raw log in Cassandra: what `RawLog` promises, on the tables of `migrations/cql/0001_raw_log.cql`."""

from collections.abc import Iterator

from vigia.stores.base import RawBatch, RawRecord
from vigia.stores.cassandra import checks
from vigia.stores.cassandra.address import Address
from vigia.stores.cassandra.migrating import migrate, migrations
from vigia.stores.cassandra.reading import Reader
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.cassandra.writing import Writer
from vigia.stores.raw_layout import Layout, ServiceFilter, hours_in, merge_once, period


class CassandraRawLog:
    """A `RawLog` in the keyspace of `address`, which `migrate` creates. Connects at the first request."""

    def __init__(self, address: Address, layout: Layout | None = None) -> None:
        self._session = CassandraSession(address)
        self._layout = layout or Layout()
        self._writer = Writer(self._session, self._layout)
        self._reader = Reader(self._session, self._layout)

    def check(self) -> list[str]:
        return checks.check(self._session)

    def migrate(self) -> None:
        migrate(self._session, migrations())

    def append(self, batch: RawBatch) -> None:
        self._writer.append(batch)

    def read(
        self, cluster_id: str, topic: str, partition: int, first: int, last: int | None = None
    ) -> Iterator[RawRecord]:
        place = (cluster_id, topic, partition)
        return merge_once(self._reader.events(place, first, last), self._reader.batches(place, first, last))

    def find(self, service: str, start: float, end: float) -> Iterator[RawRecord]:
        """Return records kept in rows by event time, then those kept in batches by place.

        Of batches the index knows hours, and `ServiceFilter` looks for the name: both may let a record more through.
        """
        start, end = period(start, end)
        if start >= end:
            return
        yield from self._reader.events_of(service, start, end)
        wanted = ServiceFilter(service)
        for place, block in self._reader.blocks_of(service, *hours_in(start, end)):
            first = block * self._layout.block
            yield from filter(wanted, self._reader.batches(place, first, first + self._layout.block - 1))

    def close(self) -> None:
        self._session.close()
