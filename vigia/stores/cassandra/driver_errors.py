"""Which of the driver's errors are retried, which need a person, and which are bugs.

Every write of the raw log may be repeated, so a timeout needs no thought about whether it happened. What surprises:
NoHostAvailable means anything from a node that restarts to a wrong password; the errors inside it decide.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cassandra import (
    AuthenticationFailed,
    ConfigurationException,
    CoordinationFailure,
    InvalidRequest,
    OperationTimedOut,
    Timeout,
    Unauthorized,
    Unavailable,
    UnresolvableContactPoints,
    UnsupportedOperation,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException, ProtocolVersionUnsupported
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import (
    IsBootstrappingErrorMessage,
    OverloadedErrorMessage,
    ServerError,
    SyntaxException,
    TruncateError,
)

from vigia.stores.errors import NoSchema, StoreError, Transient, Unusable

UNUSABLE: tuple[type[Exception], ...] = (
    AuthenticationFailed,
    Unauthorized,
    InvalidRequest,  # no such keyspace or table, a wrong type
    SyntaxException,  # a server too old for a statement
    ConfigurationException,  # a keyspace that the cluster cannot have
    ProtocolVersionUnsupported,
    UnsupportedOperation,
)

TRANSIENT: tuple[type[Exception], ...] = (
    OperationTimedOut,  # no answer within the request timeout
    Timeout,  # a coordinator waited for replicas in vain: ReadTimeout, WriteTimeout
    Unavailable,  # too few replicas are up
    CoordinationFailure,  # a replica failed: ReadFailure, WriteFailure
    NoHostAvailable,
    UnresolvableContactPoints,  # names are not served yet
    ConnectionException,  # lost on the way, or its pool is shut down
    ConnectionBusy,
    NoConnectionsAvailable,
    OverloadedErrorMessage,
    IsBootstrappingErrorMessage,
    TruncateError,
    ServerError,  # an exception in the server, such as a thread pool that ends when a node is drained
)

_LOGIN_CANNOT_BE_CHECKED = "Unable to perform authentication"
"""How a node begins that has no replica of the logins at hand: not the same as a wrong password."""


_NO_SCHEMA = ("does not exist", "unconfigured table")


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn the driver's errors into those of the stores; what is not listed is a bug and passes through."""
    try:
        yield
    except Exception as error:
        translation = translate(error, place)
        if translation is None:
            raise
        raise translation from error


def translate(error: Exception, place: str) -> StoreError | None:
    """Return what `error` means for the caller, or None for a bug."""
    if isinstance(error, NoHostAvailable):
        inner = [translate(cause, place) for cause in _causes(error)]
        if inner and all(isinstance(cause, Unusable) for cause in inner):
            return inner[0]
    if isinstance(error, AuthenticationFailed) and _LOGIN_CANNOT_BE_CHECKED in str(error):
        return Transient(f"{place}: {error}")
    if isinstance(error, InvalidRequest) and any(sign in str(error).lower() for sign in _NO_SCHEMA):
        return NoSchema(f"{place} has no schema: {error} (run the migration first)")
    if isinstance(error, UNUSABLE):
        return Unusable(f"{place} cannot be used: {error}")
    if isinstance(error, TRANSIENT):
        return Transient(f"{place}: {type(error).__name__}: {error}")
    return None


def _causes(error: NoHostAvailable) -> list[Exception]:
    errors = error.errors
    return list(errors.values()) if isinstance(errors, dict) else []
