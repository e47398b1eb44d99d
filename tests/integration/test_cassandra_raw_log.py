"""The raw log on a real Cassandra: what people see in its tables, how its schema is made, and a server that fails."""

import itertools
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import RoundRobinPolicy

from vigia.stores.base import RawBatch, RawEntry, RawLog, RawRecord
from vigia.stores.cassandra import migrating
from vigia.stores.cassandra.address import Address, parse_url
from vigia.stores.cassandra.checks import check
from vigia.stores.cassandra.migrating import Migration, migrate, migrations
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.errors import NoSchema, Transient, Unusable
from vigia.stores.raw import open_raw_log

NOON = 1_700_000_000.0 - 1_700_000_000.0 % 86_400 + 43_200
PLACE = ("cluster-1", "topic", 0)


@pytest.fixture(scope="module")
def server(stack) -> str:
    """The server's address without a keyspace."""
    return stack["VIGIA_RAW_LOG_URL"].rpartition("/")[0]


@pytest.fixture(scope="module")
def admin(server: str) -> Iterator[Session]:
    """A session of the driver's own."""
    address = urlsplit(server)
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    profiles = {EXEC_PROFILE_DEFAULT: profile}
    cluster = Cluster([address.hostname], port=address.port, execution_profiles=profiles, protocol_version=5)
    yield cluster.connect()
    cluster.shutdown()


@pytest.fixture
def keyspace(admin: Session) -> Iterator[str]:
    """The name of a keyspace that does not exist yet."""
    name = f"vigia_test_{uuid.uuid4().hex}"
    yield name
    admin.execute(f"DROP KEYSPACE IF EXISTS {name}")


@pytest.fixture(scope="module")
def log_url(server: str, admin: Session) -> Iterator[str]:
    """The address of the log that all tests share which leave its schema alone; making one takes seconds."""
    name = f"vigia_test_{uuid.uuid4().hex}"
    yield f"{server}/{name}"
    admin.execute(f"DROP KEYSPACE IF EXISTS {name}")


@pytest.fixture(scope="module")
def shared_log(log_url: str) -> Iterator[RawLog]:
    log = open_raw_log(log_url, replication_factor=1)
    log.migrate()
    yield log
    log.close()


@pytest.fixture
def log(shared_log: RawLog, admin: Session, tables: str) -> RawLog:
    """The shared log, empty."""
    for table in ("raw_events", "raw_events_by_service", "raw_batches", "raw_batches_by_service"):
        admin.execute(f"TRUNCATE {tables}.{table}")
    return shared_log


@pytest.fixture
def tables(log_url: str) -> str:
    """The shared log's keyspace."""
    return log_url.rpartition("/")[2]


@pytest.fixture
def session(server: str, keyspace: str) -> Iterator[CassandraSession]:
    hosts, _ = parse_url(f"{server}/{keyspace}")
    session = CassandraSession(Address(hosts=hosts, keyspace=keyspace, replication_factor=1))
    yield session
    session.close()


def record(offset: int, value: bytes = b"{}") -> RawRecord:
    return RawRecord("topic", 0, offset, 1_700_000_000_123, b"key", value)


def batch(*records: RawRecord, entries: tuple[RawEntry, ...] = (), packed: bool = True) -> RawBatch:
    return RawBatch("cluster-1", "topic", 0, records, entries, packed=packed)


def test_each_event_of_an_array_can_be_read_in_its_own_row(log, admin, tables):
    value = b'[{"service": "pay"}, {"bad": 1},\n {"service": "ship"}]'
    entries = (RawEntry(7, 0, "pay", NOON, "a"), RawEntry(7, 2, "ship", NOON + 0.5, "b"))
    log.append(batch(record(7, value), entries=entries, packed=False))
    rows = list(admin.execute(f"SELECT position, service, event_id, body, key FROM {tables}.raw_events"))
    assert [tuple(row) for row in rows] == [
        (0, "pay", "a", '{"service": "pay"}', b"key"),
        (1, None, None, '{"bad": 1}', None),
        (2, "ship", "b", '{"service": "ship"}', None),
    ]
    (found,) = admin.execute(f"SELECT * FROM {tables}.raw_events_by_service WHERE service = 'ship' AND day = 19675")
    assert (found.offset, found.position, found.event_id, found.occurred_at) == (7, 2, "b", NOON + 0.5)
    assert found.event_time.isoformat() == "2023-11-14T12:00:00.500000"


def test_a_single_event_is_stored_once_and_leaves_no_deletions(log, admin, tables):
    log.append(batch(record(1, b'{"service": "pay"}'), packed=False))
    result = admin.execute(f"SELECT body, raw, headers FROM {tables}.raw_events", trace=True)
    assert [tuple(row) for row in result] == [('{"service": "pay"}', None, None)]
    trace = result.get_query_trace(max_wait_sec=30)
    counts = [event.description for event in trace.events if "tombstone" in event.description]
    assert counts == ["Read 1 live rows and 0 tombstone cells"]


def test_packed_rows_are_not_compressed_twice(log, admin, tables):
    cql = "SELECT compression, compaction FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s"
    (row,) = admin.execute(cql, (tables, "raw_batches"))
    assert row.compression == {"enabled": "false"}
    assert row.compaction["class"].endswith("TimeWindowCompactionStrategy")


def test_index_rows_are_written_once_a_block_and_again_after_a_restart(log, admin, tables, log_url):
    entry = RawEntry(0, 0, "pay", NOON, "")
    log.append(batch(record(0, b'"pay"'), entries=(entry,)))
    admin.execute(f"TRUNCATE {tables}.raw_batches_by_service")
    log.append(batch(record(1, b'"pay"'), entries=(entry,)))
    assert list(log.find("pay", NOON, NOON + 1)) == []
    other = open_raw_log(log_url)
    other.append(batch(record(1, b'"pay"'), entries=(entry,)))
    assert [found.offset for found in other.find("pay", NOON, NOON + 1)] == [0, 1]
    other.close()


def test_the_check_names_what_weakens_durability(log, admin, tables, log_url):
    assert log.check() == [f"the keyspace {tables} is kept on 1 nodes, not 3"]
    admin.execute(f"ALTER KEYSPACE {tables} WITH durable_writes = false")
    weak = open_raw_log(log_url, consistency="ONE")
    found = " ".join(weak.check())
    admin.execute(f"ALTER KEYSPACE {tables} WITH durable_writes = true")
    assert "durable_writes off" in found
    assert "wait for ONE only" in found
    weak.close()


def test_the_check_notices_a_schema_of_an_earlier_release(session):
    migrate(session, [])
    with pytest.raises(NoSchema, match=r"has schema 0, this release needs \d+: run the migration"):
        check(session)


def test_many_workers_may_migrate_at_the_same_time(server, keyspace, admin):
    logs = [open_raw_log(f"{server}/{keyspace}", replication_factor=1) for _ in range(5)]
    errors = []

    def run(log: RawLog) -> None:
        try:
            log.migrate()
            log.append(batch(record(1)))
        except Exception as error:  # noqa: BLE001 - reported below
            errors.append(error)
        finally:
            log.close()

    threads = [threading.Thread(target=run, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    applied = list(admin.execute(f"SELECT version FROM {keyspace}.schema_versions"))
    assert [row.version for row in applied] == [one.version for one in migrations()]
    assert list(admin.execute(f"SELECT * FROM {keyspace}.schema_lock")) == []


def test_a_migration_that_failed_half_way_is_finished_by_the_next(session, admin, keyspace):
    broken = Migration(1, "0001_a.cql", "CREATE TABLE IF NOT EXISTS a (k int PRIMARY KEY); CREATE TABLE nonsense;")
    with pytest.raises(Unusable):
        migrate(session, [broken])
    mended = broken._replace(text=broken.text.replace("nonsense", "IF NOT EXISTS b (k int PRIMARY KEY)"))
    migrate(session, [mended])
    migrate(session, [mended])
    assert list(admin.execute(f"SELECT * FROM {keyspace}.b")) == []


def test_a_migration_changed_after_it_was_applied_is_an_error(session):
    first = Migration(1, "0001_a.cql", "CREATE TABLE IF NOT EXISTS a (k int PRIMARY KEY);")
    migrate(session, [first])
    with pytest.raises(Unusable, match=r"0001_a\.cql was applied with other content"):
        migrate(session, [first._replace(text=f"-- better\n{first.text}")])


def test_the_lock_of_a_worker_that_died_is_outlived(session, admin, keyspace, monkeypatch):
    migrate(session, [])
    wanted = [Migration(1, "0001_a.cql", "CREATE TABLE IF NOT EXISTS a (k int PRIMARY KEY);")]
    monkeypatch.setattr(migrating, "_WAIT_SECONDS", 0.5)
    take = f"INSERT INTO {keyspace}.schema_lock (name, owner) VALUES ('migrations', uuid()) USING TTL "
    admin.execute(f"{take} 60")
    with pytest.raises(Transient, match="another worker"):
        migrate(session, wanted)
    wanted = [Migration(1, "0001_a.cql", "CREATE TABLE IF NOT EXISTS a (k int PRIMARY KEY);")]
    monkeypatch.setattr(migrating, "_WAIT_SECONDS", 20)
    admin.execute(f"{take} 2")
    migrate(session, wanted)


def test_a_server_that_is_not_there_is_transient_and_tried_again():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        log = open_raw_log(f"cassandra://127.0.0.1:{held.getsockname()[1]}/vigia")
        for attempt in (log.check, log.migrate, lambda: log.append(batch(record(0)))):
            with pytest.raises(Transient, match="NoHostAvailable"):
                attempt()


def test_a_connection_that_stalls_or_breaks_is_transient_and_mends_itself(server, tables, log):
    address = urlsplit(server)
    proxy = Proxy(address.hostname, address.port)
    through = open_raw_log(f"cassandra://127.0.0.1:{proxy.port}/{tables}", request_timeout=1.0)
    offsets = itertools.count()
    through.append(batch(record(next(offsets))))

    proxy.stall()
    began = time.monotonic()
    with pytest.raises(Transient):
        through.append(batch(record(next(offsets))))
    assert time.monotonic() - began < 5
    proxy.go_on()
    append_until_it_works(through, batch(record(next(offsets))))

    proxy.cut()
    with pytest.raises(Transient):
        through.append(batch(record(next(offsets))))
    with pytest.raises(Transient):
        list(through.read(*PLACE, 0))
    proxy.go_on()
    append_until_it_works(through, batch(record(next(offsets))))
    through.close()
    proxy.close()
    assert {0, 2, 4} <= {one.offset for one in log.read(*PLACE, 0)}


def append_until_it_works(log: RawLog, wanted: RawBatch) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            log.append(wanted)
            return
        except Transient:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Proxy:
    """A TCP proxy that can hold bytes back, or end its connections and refuse new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        self._flowing.clear()

    def cut(self) -> None:
        self._refusing = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def go_on(self) -> None:
        self._refusing = False
        self._flowing.set()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._refusing:
                    client.close()
                    continue
                upstream = socket.create_connection(self._target)
                self._sockets += [client, upstream]
                for source, sink in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flowing.wait()
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.close()
