"""The raw log in a SQLite file, for the embedded way: one machine, one writing process, any number of reading ones.

Every append is one transaction that is on disk when it returns (`synchronous=FULL`), and every `read` or `find` is a
snapshot on a connection of its own, so that a slow reader does not hold up the writer.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from vigia.stores.base import RawBatch, RawRecord
from vigia.stores.errors import NoSchema, Transient, Unusable
from vigia.stores.raw_format import PackedRow
from vigia.stores.raw_layout import (
    Layout,
    ServiceFilter,
    blocks_of,
    event_rows,
    hours_in,
    hours_of,
    merge_once,
    packed_rows,
    period,
    read_once,
    value_of,
)
from vigia.stores.sqlite_wal import use_wal

VERSION = 1

_SCHEMA = """
CREATE TABLE raw_log_version (version INTEGER NOT NULL);
CREATE TABLE raw_events (
    cluster_id TEXT NOT NULL, topic TEXT NOT NULL, "partition" INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    position INTEGER NOT NULL, kafka_time INTEGER NOT NULL, "key" BLOB, headers BLOB NOT NULL,
    service TEXT, event_time REAL, event_id TEXT, body TEXT, raw BLOB,
    PRIMARY KEY (cluster_id, topic, "partition", "offset", position)
);
CREATE INDEX raw_events_by_service ON raw_events (service, event_time) WHERE service IS NOT NULL;
CREATE TABLE raw_batches (
    cluster_id TEXT NOT NULL, topic TEXT NOT NULL, "partition" INTEGER NOT NULL,
    first_offset INTEGER NOT NULL, last_offset INTEGER NOT NULL, "count" INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (cluster_id, topic, "partition", first_offset, last_offset)
);
CREATE TABLE raw_batches_by_service (
    service TEXT NOT NULL, hour INTEGER NOT NULL, cluster_id TEXT NOT NULL, topic TEXT NOT NULL,
    "partition" INTEGER NOT NULL, block INTEGER NOT NULL,
    PRIMARY KEY (service, hour, cluster_id, topic, "partition", block)
) WITHOUT ROWID;
"""

_INSERT_EVENT = "INSERT OR REPLACE INTO raw_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_BATCH = "INSERT OR REPLACE INTO raw_batches VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT_BLOCK = "INSERT OR IGNORE INTO raw_batches_by_service VALUES (?, ?, ?, ?, ?, ?)"
_RECORD = '"offset", kafka_time, "key", body, raw, headers'
_READ_EVENTS = f"""SELECT {_RECORD} FROM raw_events
    WHERE cluster_id = ? AND topic = ? AND "partition" = ? AND "offset" BETWEEN ? AND ? AND position = 0
    ORDER BY "offset"
"""  # noqa: S608 - a constant
_READ_BATCHES = """SELECT first_offset, last_offset, "count", body FROM raw_batches
    WHERE cluster_id = ? AND topic = ? AND "partition" = ? AND first_offset BETWEEN ? AND ? AND last_offset >= ?
    ORDER BY first_offset, last_offset
"""
_FIND_EVENTS = """SELECT cluster_id, topic, "partition", "offset" FROM raw_events
    WHERE service = ? AND event_time >= ? AND event_time < ?
    ORDER BY event_time, cluster_id, topic, "partition", "offset"
"""
_FIND_BLOCKS = """SELECT DISTINCT cluster_id, topic, "partition", block FROM raw_batches_by_service
    WHERE service = ? AND hour BETWEEN ? AND ? ORDER BY cluster_id, topic, "partition", block
"""

_BUSY_SECONDS = 5.0
_MAX_OFFSET = 2**63 - 1
_TRANSIENT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


class SqliteRawLog:
    """A `RawLog` in the file `path`, which `migrate` creates."""

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        self._path = path
        self._layout = layout or Layout()
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None

    def check(self) -> list[str]:
        """Raises NoSchema unless `migrate` has made the file; warns that one file is all there is."""
        with _translated(self._path), closing(self._connect()) as connection:
            version = self._version(connection)
        if version != VERSION:
            raise NoSchema(f"the raw log {self._path} has schema {version}, not {VERSION}: run the migration")
        return [f"raw events are kept in one file on one disk, {self._path}: for development, not production"]

    def migrate(self) -> None:
        with _translated(self._path), self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(create=True)) as connection:
                use_wal(connection, _BUSY_SECONDS)
                connection.execute("BEGIN IMMEDIATE")
                if self._version(connection) == 0:
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                    connection.execute("INSERT INTO raw_log_version VALUES (?)", (VERSION,))
                connection.execute("COMMIT")

    def append(self, batch: RawBatch) -> None:
        place = (batch.cluster_id, batch.topic, batch.partition)
        # encoding and compressing happen outside the lock
        statements: list[tuple[str, list[tuple[object, ...]]]]
        if batch.packed:
            rows = list(packed_rows(batch, self._layout))
            blocks = blocks_of(rows, self._layout)
            index: list[tuple[object, ...]] = [
                (*hour, *place, block) for hour in hours_of(batch.entries) for block in blocks
            ]
            statements = [(_INSERT_BATCH, [(*place, *row) for row in rows]), (_INSERT_BLOCK, index)]
        else:
            statements = [(_INSERT_EVENT, [(*place, *row) for row in _event_columns(batch)])]
        with _translated(self._path), self._lock:
            if self._writer is None:
                self._writer = self._connect()
            with _transaction(self._writer):
                for statement, values in statements:
                    self._writer.executemany(statement, values)

    def read(
        self, cluster_id: str, topic: str, partition: int, first: int, last: int | None = None
    ) -> Iterator[RawRecord]:
        with _translated(self._path), closing(self._connect()) as connection:
            connection.execute("BEGIN")
            place = (cluster_id, topic, partition, first, _MAX_OFFSET if last is None else last)
            yield from merge_once(_events(connection, *place), self._batches(connection, *place))

    def find(self, service: str, start: float, end: float) -> Iterator[RawRecord]:
        """Return records kept in rows by event time, then those kept in batches by place.

        Of batches the index knows hours, and `ServiceFilter` looks for the name: both may let a record more through.
        """
        start, end = period(start, end)
        if start >= end:
            return
        with _translated(self._path), closing(self._connect()) as connection:
            connection.execute("BEGIN")
            seen = set()
            for cluster_id, topic, partition, offset in connection.execute(_FIND_EVENTS, (service, start, end)):
                if (cluster_id, topic, partition, offset) not in seen:
                    seen.add((cluster_id, topic, partition, offset))
                    yield from _events(connection, cluster_id, topic, partition, offset, offset)
            wanted = ServiceFilter(service)
            blocks = connection.execute(_FIND_BLOCKS, (service, *hours_in(start, end)))
            for cluster_id, topic, partition, block in blocks:
                first = block * self._layout.block
                records = self._batches(connection, cluster_id, topic, partition, first, first + self._layout.block - 1)
                yield from filter(wanted, records)

    def close(self) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _batches(
        self, connection: sqlite3.Connection, cluster_id: str, topic: str, partition: int, first: int, last: int
    ) -> Iterator[RawRecord]:
        earliest = first - self._layout.row_span
        rows = connection.execute(_READ_BATCHES, (cluster_id, topic, partition, earliest, last, first))
        return read_once(topic, partition, (PackedRow(*row) for row in rows), first, last)

    def _connect(self, *, create: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _version(self, connection: sqlite3.Connection) -> int:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'raw_log_version'").fetchone():
            return 0
        version: int = connection.execute("SELECT version FROM raw_log_version").fetchone()[0]
        return version


def _event_columns(batch: RawBatch) -> Iterator[tuple[object, ...]]:
    for row in event_rows(batch):
        service, at, event_id = (
            (row.entry.service, row.entry.at, row.entry.event_id) if row.entry else (None, None, None)
        )
        headers = msgspec.msgpack.encode(row.headers)
        yield row.offset, row.position, row.timestamp, row.key, headers, service, at, event_id, row.body, row.raw


def _events(
    connection: sqlite3.Connection, cluster_id: str, topic: str, partition: int, first: int, last: int
) -> Iterator[RawRecord]:
    for row in connection.execute(_READ_EVENTS, (cluster_id, topic, partition, first, last)):
        offset, timestamp, key, body, raw, headers = row
        pairs = msgspec.msgpack.decode(headers, type=tuple[tuple[str, bytes | None], ...])
        yield RawRecord(topic, partition, offset, timestamp, key, value_of(body, raw), pairs)  # type: ignore[arg-type]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into those of the stores; what is not listed is a bug and passes through."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _TRANSIENT:
            raise Transient(f"the raw log {path}: {error}") from error
        if code == sqlite3.SQLITE_CANTOPEN and path.parent.is_dir() and not path.exists():
            raise NoSchema(f"there is no raw log {path} yet: run the migration") from error
        if code in _UNUSABLE:
            raise Unusable(f"the raw log {path} cannot be used: {error}") from error
        if "no such table" in str(error):
            raise NoSchema(f"the raw log {path} has no tables: run the migration") from error
        raise
