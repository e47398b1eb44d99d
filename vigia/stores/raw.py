"""Opens a raw log by its URL. Nothing is connected, and Cassandra's driver not even imported, before that."""

from pathlib import Path

from vigia.stores.base import RawLog
from vigia.stores.errors import Unusable
from vigia.stores.raw_layout import Layout
from vigia.stores.sqlite_raw import SqliteRawLog

SQLITE = "sqlite:///"
CASSANDRA = "cassandra://"


def open_raw_log(  # noqa: PLR0913 - one parameter a setting
    url: str,
    *,
    username: str = "",
    password: str = "",
    tls: bool = False,
    tls_ca: str = "",
    datacenter: str = "",
    replication_factor: int = 3,
    consistency: str = "LOCAL_QUORUM",
    request_timeout: float = 10.0,
    layout: Layout | None = None,
) -> RawLog:
    """Return the raw log at `sqlite:///path` (the other parameters do not matter) or `cassandra://host:port,.../keyspace`.

    `tls_ca` is a file with the authorities to trust (empty: the system's), `datacenter` the one local to this process
    (empty: that of the node that answers first), `replication_factor` what a new keyspace gets there, `request_timeout`
    in seconds. Connects at the first request. Raises Unusable for another URL.
    """
    if url.startswith(SQLITE) and url != SQLITE:
        return SqliteRawLog(Path(url.removeprefix(SQLITE)), layout)
    if not url.startswith(CASSANDRA):
        raise Unusable("the raw log's URL is neither sqlite:///path nor cassandra://host:port/keyspace")
    from vigia.stores.cassandra.address import Address, parse_url  # noqa: PLC0415 - the driver is slow to import,
    from vigia.stores.cassandra.raw_log import CassandraRawLog  # noqa: PLC0415 - and the embedded way needs none

    hosts, keyspace = parse_url(url)
    address = Address(
        hosts=hosts,
        keyspace=keyspace,
        username=username,
        password=password,
        tls=tls,
        tls_ca=tls_ca,
        datacenter=datacenter,
        replication_factor=replication_factor,
        consistency=consistency,
        request_timeout=request_timeout,
    )
    return CassandraRawLog(address, layout)
