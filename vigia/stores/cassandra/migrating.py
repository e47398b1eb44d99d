"""Versioned CQL: applies the files of `vigia/stores/migrations/cql` in order, each once, however many workers start.

A lightweight transaction is the lock, with a life of its own, so that a worker that dies does not hold it for ever. The
lock's table is made before there is a lock: two nodes that make the same table at once give it two ids and then quarrel
about it, so its id is fixed beforehand.
"""

import hashlib
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cassandra import WriteTimeout

from vigia.stores.cassandra.driver_errors import translated
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.errors import NoSchema, Transient, Unusable

# ruff: noqa: S608 - put together from constants

FILES = Path(__file__).resolve().parent.parent / "migrations" / "cql"

LOCK_SECONDS = 60
"""How long the lock lives when its holder dies; it is taken anew before each file."""

_WAIT_SECONDS = 2.0 * LOCK_SECONDS
_PAUSE_SECONDS = (0.1, 0.6)
_DDL_SECONDS = 60.0
_NAMESPACE = uuid.UUID("6f1c63a0-6d3f-4c53-9b1e-0d7c4b0a0f55")
_NAME = re.compile(r"(?P<version>\d{4})_\w+\.cql")


class Migration(NamedTuple):
    """One file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Tells whether the file is the one that was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements, without comments."""
        code = re.sub(r"--.*", "", self.text)
        return [statement.strip() for statement in code.split(";") if statement.strip()]


def migrations(folder: Path = FILES) -> list[Migration]:
    """Return the files in order of their versions, which have no gaps."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.cql")):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match["version"]) != len(found) + 1:
            raise Unusable(f"{path.name} should be called {len(found) + 1:04d}_what_it_does.cql")
        found.append(Migration(int(match["version"]), path.name, path.read_text()))
    return found


def migrate(session: CassandraSession, wanted: list[Migration]) -> None:
    """Create the keyspace and apply what is missing of `wanted`; raises Unusable when an applied file has changed.

    Where nothing is missing nothing is written, so a worker needs no right to change the schema.
    """
    try:
        if not _missing(_applied(session), wanted):
            return
    except NoSchema:
        pass
    with translated(session.address.text):
        _create_keyspace(session)
        inner = session.opened(session.address.keyspace)
        try:
            lock_id = uuid.uuid5(_NAMESPACE, session.address.keyspace)
            _define(
                inner,
                f"CREATE TABLE IF NOT EXISTS schema_lock (name text PRIMARY KEY, owner uuid) WITH id = '{lock_id}'",
            )
            with _lock(inner) as renew:
                _define(
                    inner,
                    "CREATE TABLE IF NOT EXISTS schema_versions "
                    "(version int PRIMARY KEY, name text, checksum text, applied_at timestamp)",
                )
                for migration in _missing(_applied(session), wanted):
                    renew()
                    _apply(inner, migration)
        finally:
            inner.shutdown()


def applied_version(session: CassandraSession) -> int:
    """Return the newest version that was applied; raises NoSchema when there is none at all."""
    return max(_applied(session), default=0)


def _applied(session: CassandraSession) -> dict[int, str]:
    """Return the checksums of the applied files by their versions."""
    # not prepared: the driver logs a traceback when it cannot prepare, and a table not made yet is nothing special
    rows = session.rows(f"SELECT version, checksum FROM {session.address.keyspace}.schema_versions")
    return dict(map(tuple, rows))


def _missing(applied: dict[int, str], wanted: list[Migration]) -> list[Migration]:
    for migration in wanted:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise Unusable(
                f"{migration.name} was applied with other content: take the change back and write it into a new file"
            )
    return [migration for migration in wanted if migration.version not in applied]


def _create_keyspace(session: CassandraSession) -> None:
    connected = session.connected()
    address = session.address
    datacenter = address.datacenter or connected.execute("SELECT data_center FROM system.local").one().data_center
    _define(
        connected,
        f"CREATE KEYSPACE IF NOT EXISTS {address.keyspace} WITH replication = "
        f"{{'class': 'NetworkTopologyStrategy', '{datacenter}': {address.replication_factor}}}",
    )


def _apply(session: Any, migration: Migration) -> None:
    for statement in migration.statements:
        _define(session, statement)
    session.execute(
        "INSERT INTO schema_versions (version, name, checksum, applied_at) VALUES (%s, %s, %s, toTimestamp(now()))",
        (migration.version, migration.name, migration.checksum),
    )


def _define(session: Any, statement: str) -> None:
    """Change the schema, and wait until all nodes agree on it."""
    future = session.execute_async(statement, timeout=_DDL_SECONDS)
    future.result()
    if not future.is_schema_agreed:
        raise Transient("the nodes do not agree on the schema yet")


@contextmanager
def _lock(session: Any) -> Iterator[Callable[[], None]]:
    """Hold the lock; what is yielded lengthens its life, or raises when it has ended."""
    owner = uuid.uuid4()
    look = "SELECT owner FROM schema_lock WHERE name = 'migrations'"
    take = f"INSERT INTO schema_lock (name, owner) VALUES ('migrations', %s) IF NOT EXISTS USING TTL {LOCK_SECONDS}"
    keep = f"UPDATE schema_lock USING TTL {LOCK_SECONDS} SET owner = %s WHERE name = 'migrations' IF owner = %s"
    release = "DELETE FROM schema_lock WHERE name = 'migrations' IF owner = %s"
    end = time.monotonic() + _WAIT_SECONDS
    # looking first: who waits by trying to take it gets in the way of those who hold it
    while session.execute(look).one() or _holder(session, take, (owner,)) != owner:
        if time.monotonic() > end:
            raise Transient("another worker has been migrating the raw log for minutes")
        _pause()

    def renew() -> None:
        if _holder(session, keep, (owner, owner)) != owner:
            raise Transient("the lock on the schema was lost: another worker is migrating")

    try:
        yield renew
    finally:
        _holder(session, release, (owner,))


def _holder(session: Any, statement: str, values: tuple[uuid.UUID, ...]) -> uuid.UUID | None:
    """Carry out a change of the lock, of which the last value is the owner; return who it belongs to then.

    A conditional change that timed out may have happened. Each of ours can be repeated: the answer then names us. Tried
    at once several of them only time out again, since none gets to its end, so there is a pause of random length.
    """
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            result = session.execute(statement, values)
        except WriteTimeout:
            if time.monotonic() > end:
                raise
            _pause()
            continue
        if result.was_applied:
            return values[-1]
        holder: uuid.UUID | None = getattr(result.one(), "owner", None)
        return holder


def _pause() -> None:
    time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - secures nothing
