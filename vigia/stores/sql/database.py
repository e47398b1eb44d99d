"""Connections, transactions, and what driver errors become. Everything that touches the database goes through here.

Connections are in autocommit mode, so a read is one round trip; a write transaction begins and commits explicitly, so
that an error during COMMIT, whose outcome nobody knows, can be told from all others.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.selectable import TypedReturnsRows

from vigia.stores.errors import NoSchema, StoreError, Transient, UnknownOutcome, Unusable
from vigia.stores.sql.dialect import Dialect, Fault
from vigia.stores.sql.statements import Statements

T = TypeVar("T")

DEADLOCK_TRIES = 3
"""How often a transaction is run when others keep winning against it."""

DEADLOCK_PAUSE = 0.02
"""Seconds before the second try; grows with each."""


class Deadlock(Transient):
    """The transaction lost against another one; it was rolled back."""


class Database:
    """A pool of connections to one database, and the statements compiled for it."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @cached_property
    def statements(self) -> Statements:
        """The compiled statements; asked for only while connected, since they depend on the server's version."""
        return Statements(self.dialect)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for statements that each stand for themselves."""
        with self._translating(), self.dialect.engine.connect() as connection:
            yield connection

    def fetch(self, statement: TypedReturnsRows[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Run one SELECT and return its rows."""
        with self.reading() as connection:
            return connection.execute(statement).all()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, again when it meets a deadlock, and return what it returned."""
        for attempt in range(1, DEADLOCK_TRIES):
            try:
                return self._transaction(work)
            except Deadlock:
                time.sleep(DEADLOCK_PAUSE * attempt)
        return self._transaction(work)

    def close(self) -> None:
        """Close all connections."""
        self.dialect.engine.dispose()

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        with self.dialect.writing(), self._translating(), self.dialect.engine.connect() as connection:
            try:
                connection.exec_driver_sql(self.dialect.begin)
                result = work(connection)
            except Exception:
                _roll_back(connection)
                raise
            except BaseException:
                # interrupted in the middle of the protocol: the connection is good for nothing
                connection.invalidate()
                raise
            try:
                connection.exec_driver_sql("COMMIT")
            except DBAPIError as error:
                raise self._after_commit(connection, error) from error
            except BaseException:
                connection.invalidate()
                raise
            return result

    def _after_commit(self, connection: Connection, error: DBAPIError) -> Exception:
        diagnosis = self.dialect.diagnose(_cause(error))
        # closing the connection ends a transaction that may still be open
        with suppress(Exception):
            connection.invalidate()
        # only a deadlock says for sure that the server rolled back; to ask again is always safe
        if diagnosis is None or diagnosis.fault is Fault.DEADLOCK:
            return self._translated(error)
        return UnknownOutcome(f"the database failed during COMMIT, which may have happened: {_cause(error)}")

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._translated(error) from error
        except PoolTimeout as error:
            raise Transient(f"no free connection to the summaries' database: {error}") from error

    def _translated(self, error: DBAPIError) -> Exception:
        cause = _cause(error)
        diagnosis = self.dialect.diagnose(cause)
        if diagnosis is None:
            return error
        kinds: dict[Fault, type[StoreError]] = {
            Fault.DEADLOCK: Deadlock,
            Fault.UNUSABLE: Unusable,
            Fault.NO_SCHEMA: NoSchema,
        }
        advice = f" ({diagnosis.advice})" if diagnosis.advice else ""
        return kinds.get(diagnosis.fault, Transient)(f"the summaries' database says: {cause}{advice}")


def _cause(error: DBAPIError) -> BaseException:
    return error.orig if error.orig is not None else error


def _roll_back(connection: Connection) -> None:
    """End the transaction; a connection that cannot even do that is thrown away."""
    if connection.invalidated or connection.closed:
        return
    try:
        connection.exec_driver_sql("ROLLBACK")
    except Exception:  # noqa: BLE001 - the first error is the one that matters
        with suppress(Exception):
            connection.invalidate()
