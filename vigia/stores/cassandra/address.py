"""Where a Cassandra cluster is and how it is spoken to: everything that the settings say about it."""

import re
from dataclasses import dataclass, field

from vigia.stores.errors import Unusable

DEFAULT_PORT = 9042

_URL = re.compile(r"cassandra://(?P<hosts>[^/@?]+)/(?P<keyspace>[a-z][a-z0-9_]{0,47})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The nodes to ask first, the keyspace, and how a request is made.

    `datacenter` is the one local to this process (empty: that of the node that answers first). `replication_factor` is
    what the keyspace is created with there. `request_timeout` is in seconds.
    """

    hosts: tuple[tuple[str, int], ...]
    keyspace: str
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    tls_ca: str = ""
    datacenter: str = ""
    replication_factor: int = 3
    consistency: str = "LOCAL_QUORUM"
    request_timeout: float = 10.0

    @property
    def text(self) -> str:
        """How messages name it."""
        return f"cassandra://{','.join(f'{host}:{port}' for host, port in self.hosts)}/{self.keyspace}"


def parse_url(url: str) -> tuple[tuple[tuple[str, int], ...], str]:
    """Return the hosts and the keyspace of `cassandra://host:port,host:port/keyspace`; raises Unusable."""
    match = _URL.fullmatch(url)
    hosts = [] if match is None else [_host(text) for text in match["hosts"].split(",")]
    if match is None or None in hosts:
        raise Unusable(
            "the raw log's URL is cassandra://host:port,host:port/keyspace with a keyspace of at most 48 small "
            "letters, digits and underscores; user name and password are settings of their own"
        )
    return tuple(host for host in hosts if host), match["keyspace"]


def _host(text: str) -> tuple[str, int] | None:
    name, colon, port = text.partition(":")
    if not name or (colon and not port.isdecimal()):
        return None
    return name, int(port or DEFAULT_PORT)
