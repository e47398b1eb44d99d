"""Which of the driver's errors are retried and which end the process: a mistake here loses hours or hides a bug."""

import pytest
from cassandra import (
    AlreadyExists,
    AuthenticationFailed,
    InvalidRequest,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteFailure,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown, ProtocolVersionUnsupported
from cassandra.protocol import OverloadedErrorMessage, ServerError, SyntaxException

from vigia.stores.cassandra.driver_errors import translated
from vigia.stores.errors import Conflict, Transient, Unusable

LOGIN_UNKNOWN = "Failed to authenticate: Unable to perform authentication: Cannot achieve consistency level LOCAL_ONE"

RETRIED = [
    OperationTimedOut(),
    WriteTimeout("no answer", write_type=0),
    ReadTimeout("no answer"),
    WriteFailure("disk", write_type=0),
    ReadFailure("disk"),
    Unavailable("one of three"),
    OverloadedErrorMessage(0x1001, "busy", None),
    ServerError(0, "RejectedExecutionException", None),
    ConnectionShutdown("gone"),
    NoHostAvailable("nobody", {}),
    NoHostAvailable("nobody", {"a": ConnectionRefusedError()}),
    NoHostAvailable("nobody", {"a": AuthenticationFailed("wrong"), "b": OSError("gone")}),
    NoHostAvailable("nobody", {"a": AuthenticationFailed(LOGIN_UNKNOWN)}),
]
FATAL = [
    AuthenticationFailed("wrong password"),
    NoHostAvailable("nobody", {"a": AuthenticationFailed("wrong password")}),
    NoHostAvailable("nobody", {"a": ProtocolVersionUnsupported("a", 5)}),
    Unauthorized("no SELECT"),
    InvalidRequest("unconfigured table raw_events"),
    SyntaxException(0x2000, "line 1", None),
    AlreadyExists(keyspace="k", table="t"),
]
BUGS = [ValueError("x"), TypeError("x"), KeyError("x"), AttributeError("x"), OSError("x")]


def raised(error):
    with pytest.raises(Exception) as caught, translated("cassandra://a:1/k"):  # noqa: PT011 - which one is the question
        raise error
    return caught.value


@pytest.mark.parametrize("error", RETRIED, ids=repr)
def test_what_may_pass_is_transient(error):
    found = raised(error)
    assert isinstance(found, Transient)
    assert found.__cause__ is error
    assert "cassandra://a:1/k" in str(found)


@pytest.mark.parametrize("error", FATAL, ids=repr)
def test_what_needs_a_person_is_unusable(error):
    found = raised(error)
    assert isinstance(found, Unusable)
    assert "cassandra://a:1/k" in str(found)


@pytest.mark.parametrize("error", [*BUGS, Conflict("x"), Transient("x")], ids=repr)
def test_anything_else_passes_through_as_it_is(error):
    assert raised(error) is error


def test_a_missing_table_comes_with_advice():
    assert "run the migration first" in str(raised(InvalidRequest("unconfigured table raw_events")))
    assert "run the migration" not in str(raised(InvalidRequest("Expected 8 bytes")))
