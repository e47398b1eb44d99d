"""What the raw log takes, beside plain rows by the same driver, by another one, and by a client that costs nothing."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from scripts.benchmarking.environments import CannotBuildError
from scripts.benchmarking.place import cassandra_session, local
from scripts.benchmarking.raw_log import writers
from scripts.benchmarking.raw_log.writers import Place, WriterFailedError, Written
from scripts.benchmarking.volume import RAW_TABLES
from vigia.app import open_stores
from vigia.settings import Settings, load
from vigia.stores.cassandra.address import Address

BATCHED, SINGLE = 32, 256
"""Requests under way at a time."""

TOGETHER = 100
"""Rows of one partition in an unlogged batch, as the raw log writes its readable rows."""


@dataclass(frozen=True)
class Way:
    """A way of writing, with its name for the table and what share of the rows it is given."""

    what: str
    share: float
    write: Callable[[int], Written]


def raw_log(rows: int, repeats: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each way of writing: its runs, or why it was not run. `rows` is what the fast ones write."""
    with local() as env, cassandra_session(env) as session:
        session.execute(writers.TABLE)
        settings = load(env)
        host, _, port = settings.raw_log.url.removeprefix("cassandra://").partition("/")[0].partition(":")
        ways = _ways(settings, Place(host, int(port), session.keyspace))
        found: list[dict[str, Any]] = [{"what": way.what, "runs": [], "failed": None} for way in ways]
        for _ in range(repeats):
            for way, row in zip(ways, found, strict=True):
                _run(way, row, int(rows * way.share), say)
                for table in ("plain", *RAW_TABLES):
                    session.execute(f"TRUNCATE {table}", timeout=60)
    return found


def _ways(settings: Settings, place: Place) -> Sequence[Way]:
    hosts = ((place.host, place.port),)
    address = Address(hosts=hosts, keyspace=place.keyspace, replication_factor=1, consistency="LOCAL_ONE")
    driver, acsylla = partial(writers.cassandra_driver, address), partial(writers.acsylla, place)
    return (
        Way("Vigia's raw log, packed (records)", 2.5, partial(_append, settings, packed=True)),
        Way("Vigia's raw log, readable rows (events)", 0.2, partial(_append, settings, packed=False)),
        Way("cassandra-driver, one row a request", 0.25, partial(driver, together=1)),
        Way(f"cassandra-driver, {TOGETHER} rows a batch", 1, partial(driver, together=TOGETHER)),
        Way("acsylla, one row a request", 0.5, partial(acsylla, together=1, under_way=SINGLE)),
        Way(f"acsylla, {TOGETHER} rows a batch", 1, partial(acsylla, together=TOGETHER, under_way=BATCHED)),
        Way("latte-cli, one row a request", 1, partial(writers.latte, place, under_way=SINGLE)),
    )


def _append(settings: Settings, rows: int, *, packed: bool) -> Written:
    # one that is new each time: it remembers which index rows it has written
    stores = open_stores(settings)
    try:
        stores.raw_log.check()
        return writers.raw_log(stores.raw_log, rows, packed=packed)
    finally:
        stores.close()


def _run(way: Way, row: dict[str, Any], rows: int, say: Callable[[str], None]) -> None:
    try:
        written = way.write(rows)
    except (CannotBuildError, WriterFailedError) as error:
        row["failed"] = str(error)
        say(f"{way.what}: {error}")
        return
    row["runs"].append(asdict(written))
    say(f"{way.what}: {written.rows / written.seconds:,.0f}/s")
