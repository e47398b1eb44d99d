"""Who writes to the node, each with one thread of its own: how many rows in how many seconds."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.benchmarking import environments
from vigia.stores.base import RawBatch, RawEntry, RawLog
from vigia.stores.cassandra.address import Address
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.records import Records

TABLE = """CREATE TABLE IF NOT EXISTS plain (service text, day int, at timestamp, event_id text, value blob,
PRIMARY KEY ((service, day), at, event_id))"""

INSERT = "INSERT INTO {}.plain (service, day, at, event_id, value) VALUES (?, ?, ?, ?, ?)"
SERVICES, VALUE = 200, bytes(range(118))
"""Rows are as large as the contest's messages."""

MESSAGE = '{"service":"%s","environment":"production","metric":"latency","unit":"1","ts":%d.000,"value":%.1f}'

AT = 1_700_000_000.0

IN_APPEND = 5_000
"""Records of a batch that the raw log keeps: a step under a backlog."""

LIMIT = 600.0


class WriterFailedError(Exception):
    """A writer ended without a figure; the message says why."""


@dataclass(frozen=True)
class Place:
    """The node and the keyspace to write to."""

    host: str
    port: int
    keyspace: str


@dataclass(frozen=True)
class Written:
    """What one run wrote; `cpu_seconds` are the client's alone."""

    rows: int
    seconds: float
    cpu_seconds: float


def raw_log(log: RawLog, rows: int, *, packed: bool) -> Written:
    """Append records to Vigia's own raw log, `IN_APPEND` at a time."""

    def work() -> None:
        for first in range(0, rows, IN_APPEND):
            log.append(_batch(first, min(IN_APPEND, rows - first), packed=packed))

    return _timed(rows, work)


def _batch(first: int, count: int, *, packed: bool) -> RawBatch:
    topic, numbers = ("metrics" if packed else "feedback"), range(first, first + count)
    services = [f"service-{number % SERVICES:03d}" for number in numbers]
    records = Records(
        topic,
        0,
        list(numbers),
        [1_700_000_000_000 + number for number in numbers],
        [service.encode() for service in services],
        [(MESSAGE % (s, AT + n, n % 997 / 10)).encode() for s, n in zip(services, numbers, strict=True)],
    )
    if packed:
        entries = [RawEntry(first, 0, service, AT, "") for service in sorted(set(services))]
    else:
        entries = [RawEntry(n, 0, s, AT + n / 1_000, f"event-{n:020d}") for n, s in zip(numbers, services, strict=True)]
    return RawBatch("bench", topic, 0, records, entries, packed)


def cassandra_driver(address: Address, rows: int, together: int) -> Written:
    """Write plain rows as the raw log's own session does, `together` of one partition in an unlogged batch."""
    from cassandra.query import BatchStatement, BatchType  # noqa: PLC0415 - slow to import, and only this needs it

    session = CassandraSession(address)
    session.connected()

    def bound(number: int) -> Any:
        service = f"service-{number // together % SERVICES:03d}"
        return session.bind(INSERT, (service, 1, 1_700_000_000_000 + number, f"event-{number:020d}", VALUE))

    def statements() -> Iterable[Any]:
        for first in range(0, rows, together):
            if together == 1:
                yield bound(first)
            else:
                batch = BatchStatement(BatchType.UNLOGGED)
                batch.add_all([bound(n) for n in range(first, first + together)], [None] * together)
                yield batch

    try:
        return _timed(rows, lambda: session.write(statements()))
    finally:
        session.close()


def acsylla(place: Place, rows: int, together: int, under_way: int) -> Written:
    """Write the same rows from Python by the DataStax C++ driver."""
    python = environments.python_with(environments.ACSYLLA)
    script = Path(__file__).with_name("acsylla_writer.py")
    given = [place.host, place.port, place.keyspace, rows, together, under_way]
    said: Mapping[str, Any] = json.loads(_said([str(python), str(script), *map(str, given)]).splitlines()[-1])
    return Written(said["rows"], said["seconds"], said["cpu_seconds"])


def latte(place: Place, rows: int, under_way: int) -> Written:
    """Write single rows from Rust, in one thread."""
    script = Path(__file__).with_name("latte_writer.rn")
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["-P", f'keyspace="{place.keyspace}"', "-t", "1", "-p", str(under_way), "-d", str(rows)]
        address = f"{place.host}:{place.port}"
        _said(
            [str(environments.latte()), "run", *options, "-w", "20000", "-o", str(report), str(script), address], folder
        )
        found = json.loads(report.read_text(encoding="utf-8"))["result"]
    if found["error_count"]:
        raise WriterFailedError(f"latte: {found['error_count']} requests failed: {found['errors'][:1]}")
    return Written(found["cycle_count"], found["elapsed_time_s"], found["cpu_time_s"])


def _timed(rows: int, work: Callable[[], object]) -> Written:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return Written(rows, time.perf_counter() - began, time.process_time() - cpu)


def _said(command: list[str], folder: str | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WriterFailedError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise WriterFailedError(
            f"{command[0]} ended with {done.returncode}: {done.stderr[-300:] or done.stdout[-300:]}"
        )
    return done.stdout
