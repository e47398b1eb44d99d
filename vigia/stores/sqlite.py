"""What is SQLite's own: pragmas, its one writer, its upsert, and which of its errors mean what.

A file in WAL mode has one writer and any number of readers, in this process and others. SQLite lets writers poll for
the lock; within a process they queue for a lock of ours instead, which is fair and wakes at once.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert

from vigia.events.summaries import Summary
from vigia.stores.errors import Unusable
from vigia.stores.sql.dialect import Diagnosis, Fault
from vigia.stores.sqlite_wal import use_wal

BUSY_TIMEOUT = 5.0
"""Seconds to wait for a writer in another process."""

TRANSIENT_CODES: dict[int, Fault] = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_INTERRUPT: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.BUSY,
    sqlite3.SQLITE_IOERR: Fault.LOST,
}
"""Primary result codes after which the same call may succeed."""

UNUSABLE_CODES: dict[int, str] = {
    sqlite3.SQLITE_CANTOPEN: "does the folder of the database file exist, and may this user read and write there?",
    sqlite3.SQLITE_READONLY: "this user may not write the database file or its folder",
    sqlite3.SQLITE_PERM: "this user may not read the database file",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database: give another path",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore it from a backup, or move it away to start afresh",
    sqlite3.SQLITE_SCHEMA: "the schema changed while it was used: start again",
}
"""Primary result codes that stay until a person acts, and what to do."""


class SQLite:
    """The dialect object for a SQLite file."""

    begin = "BEGIN IMMEDIATE"
    now = "SELECT (julianday('now') - 2440587.5) * 86400.0"
    whole_rows: frozenset[type[Summary]] = frozenset()

    def __init__(self, url: URL, *, connections: int, read_only: bool) -> None:
        self._lock = threading.Lock()
        path = url.database
        if not path or path == ":memory:":
            raise Unusable("the summaries need a SQLite file: each connection would see a memory database of its own")
        self.engine = _engine(url, path, connections, read_only=read_only)

    def writing(self) -> AbstractContextManager[object]:
        return self._lock

    def upsert(self, table: Table, replaced: Sequence[str], raised: str | None = None) -> Insert:
        statement = insert(table)
        values: dict[str, Any] = {name: statement.excluded[name] for name in replaced}
        if raised:
            values[raised] = table.c[raised] + 1
        key = [column.name for column in table.primary_key]
        return statement.on_conflict_do_update(index_elements=key, set_=values)

    @contextmanager
    def migrating(self, connection: Connection) -> Iterator[None]:
        # DDL is transactional here: a migration that fails leaves nothing, and others wait for the write lock
        with self._lock:
            connection.exec_driver_sql(self.begin)
            try:
                yield
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    def warnings(self, connection: Connection) -> list[str]:
        found = []
        if (level := connection.exec_driver_sql("PRAGMA synchronous").scalar_one()) < 2:  # noqa: PLR2004 - FULL
            found.append(f"SQLite's synchronous is {level}: a power cut may lose committed steps; FULL (2) loses none")
        if (mode := connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()) != "wal":
            found.append(
                f"SQLite's journal_mode is {mode}: readers and the writer block each other; WAL is what is tested"
            )
        return found

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return None
        primary = code & 0xFF
        if primary in TRANSIENT_CODES:
            return Diagnosis(TRANSIENT_CODES[primary], "")
        if primary in UNUSABLE_CODES:
            return Diagnosis(Fault.UNUSABLE, UNUSABLE_CODES[primary])
        if "no such table" in str(error) or "no such column" in str(error) or "has no column named" in str(error):
            return Diagnosis(Fault.NO_SCHEMA, "the schema is not this release's: run the migration")
        return None


def _engine(url: URL, path: str, connections: int, *, read_only: bool) -> Engine:
    # read only: never create the file, but join its WAL, for which SQLite must open it for writing
    mode = "rw" if read_only else "rwc"
    if path.startswith("file:"):
        raise Unusable("give the path of the SQLite file as sqlite:///path, without file: and parameters")
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite", database=f"file:{escaped}", query={"uri": "true", "mode": mode}),
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=30,
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            use_wal(connection, BUSY_TIMEOUT)
            cursor.execute("PRAGMA synchronous = FULL")
            # windows land all over the file: fewer checkpoints, each of more pages, took a quarter off such steps
            cursor.execute("PRAGMA wal_autocheckpoint = 4000")
        cursor.execute("PRAGMA cache_size = -16000")
        cursor.close()

    return engine
