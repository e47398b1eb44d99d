"""Connections to Cassandra: made at the first request, bounded in what is under way, with errors of the stores.

When the cluster cannot be reached, the next call tries again. Statements are prepared once and named by their text.
What surprises: requests are not sent to several nodes at once for speed, nor retried beyond the driver's one attempt on
the next node; the caller has a budget for retries and knows when to give up.
"""

import logging
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from cassandra import ConsistencyLevel, DependencyException, ProtocolVersion
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import (
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    RetryPolicy,
    TokenAwarePolicy,
)

from vigia.stores.cassandra.address import Address
from vigia.stores.cassandra.driver_errors import translated

_log = logging.getLogger(__name__)

IN_FLIGHT = 32
"""Most requests of one call that are under way."""

_CONNECT_SECONDS = 5.0
_BUFFER = 64 * 1024
_SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
"""Without it the end of a request of several packets waits 40 ms for the acknowledgement of its beginning."""
_RECONNECT_SECONDS = (0.5, 5.0)
"""First and longest wait between attempts to reach a node that is down; the driver would wait up to 10 minutes."""


class CassandraSession:
    """A session on the cluster at `address`, for any number of threads."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._cluster: Any = None
        self._session: Any = None
        self._prepared: dict[str, Any] = {}

    def connected(self) -> Any:
        """Return the driver's session; connects when there is none."""
        with self._lock:
            if self._session is None:
                self._cluster, self._session = _connect(self.address)
            return self._session

    def close(self) -> None:
        """Give all connections back; the next request connects again."""
        with self._lock:
            if self._cluster is not None:
                self._cluster.shutdown()
            self._cluster = self._session = None
            self._prepared = {}

    def opened(self, keyspace: str) -> Session:
        """Return a further session that has `keyspace` as its default; the caller shuts it down."""
        self.connected()
        return self._cluster.connect(keyspace)

    def bind(self, cql: str, values: Sequence[object], page: int | None = None) -> Any:
        """Return a statement with its values; `{}` in `cql` is the keyspace, `page` how many rows come at once."""
        session = self.connected()
        prepared = self._prepared.get(cql)
        if prepared is None:
            with translated(self.address.text):
                prepared = session.prepare(cql.format(self.address.keyspace))
            prepared.is_idempotent = True
            self._prepared[cql] = prepared
        bound = prepared.bind(values)
        if page is not None:
            bound.fetch_size = page
        return bound

    def write(self, statements: Iterable[Any]) -> None:
        """Carry all `statements` out, in any order; the first error is raised when none is under way any more."""
        deque(self.answers(statements), maxlen=0)

    def answers(self, statements: Iterable[Any]) -> Iterator[Any]:
        """Return the result of each statement, in their order, with a bounded number under way."""
        session = self.connected()
        under_way: deque[Any] = deque()
        with translated(self.address.text):
            try:
                for statement in statements:
                    if len(under_way) >= IN_FLIGHT:
                        yield under_way.popleft().result()
                    under_way.append(session.execute_async(statement))
                while under_way:
                    yield under_way.popleft().result()
            finally:
                for future in under_way:
                    with suppress(Exception):
                        future.result()

    def rows(self, statement: Any) -> Iterator[Any]:
        """Return the rows of one statement, fetched page by page."""
        session = self.connected()
        with translated(self.address.text):
            yield from session.execute(statement)


def _connect(address: Address) -> tuple[Any, Any]:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(address.datacenter)),
        retry_policy=RetryPolicy(),
        consistency_level=ConsistencyLevel.name_to_value[address.consistency],
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        request_timeout=address.request_timeout,
    )
    options: dict[str, Any] = {}
    if address.username:
        options["auth_provider"] = PlainTextAuthProvider(address.username, address.password)
    if address.tls:
        options["ssl_context"] = ssl.create_default_context(cafile=address.tls_ca or None)
    reactor = _reactor()
    if reactor is not None:
        options["connection_class"] = reactor
    with translated(address.text):
        cluster = Cluster(
            list(address.hosts),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            protocol_version=ProtocolVersion.V5,
            # what is large is compressed already
            compression=False,
            connect_timeout=_CONNECT_SECONDS,
            sockopts=_SOCKET_OPTIONS,
            control_connection_timeout=_CONNECT_SECONDS,
            reconnection_policy=ExponentialReconnectionPolicy(*_RECONNECT_SECONDS),
            monitor_reporting_enabled=False,
            application_name="vigia",
            **options,
        )
        try:
            return cluster, cluster.connect()
        except BaseException:
            cluster.shutdown()
            raise


def _reactor() -> Any:
    """Return libev's event loop: with asyncio's, writes were refused under load. None lets the driver choose."""
    try:
        from cassandra.io.libevreactor import LibevConnection  # noqa: PLC0415 - raises when it was built without libev
    except (ImportError, DependencyException) as error:
        _log.warning("cassandra-driver has no libev here and takes a slower event loop: %s", error)
        return None
    # the driver's 4 kB cut a packed row into some thirty system calls
    return type("LargeBufferConnection", (LibevConnection,), {"in_buffer_size": _BUFFER, "out_buffer_size": _BUFFER})
