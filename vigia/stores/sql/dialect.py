"""What differs between MySQL (with MariaDB) and SQLite: the object that `mysql.py` and `sqlite.py` provide."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine, Insert, Table

from vigia.events.summaries import Summary


class Fault(Enum):
    """What a driver's error means for the transaction it ended."""

    DEADLOCK = auto()
    """It lost against another transaction: nothing happened, run it again at once."""

    LOST = auto()
    """The connection broke: nothing happened, unless COMMIT was on its way."""

    BUSY = auto()
    """The server refuses for now: nothing happened."""

    UNUSABLE = auto()
    """It will refuse for ever, until a person changes something."""

    NO_SCHEMA = auto()
    """A table or column is missing: the database was not migrated."""


class Diagnosis(NamedTuple):
    """A fault, and what a person can do about it."""

    fault: Fault
    advice: str


class Dialect(Protocol):
    """One kind of database. Connections are in autocommit mode; a write transaction is opened by `begin`."""

    engine: Engine
    begin: str
    now: str
    """A SELECT of the server's time in epoch seconds."""
    whole_rows: frozenset[type[Summary]]
    """The kinds of rows that the driver takes as `Rows` (`whole_rows.py`): many rows are one value."""

    def writing(self) -> AbstractContextManager[object]:
        """Return what a write transaction holds while it runs, on this side of the connection."""

    def upsert(self, table: Table, replaced: Sequence[str], raised: str | None = None) -> Insert:
        """Return an INSERT that, where the row exists, replaces the columns `replaced` and adds 1 to `raised`."""

    def migrating(self, connection: Connection) -> AbstractContextManager[object]:
        """Return what keeps all other migrations of this database out."""

    def warnings(self, connection: Connection) -> list[str]:
        """Return what in the server's settings weakens durability or comparisons, one sentence each."""

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        """Return what a driver's error means; None for those that only a bug can cause."""


def written(table: Table) -> list[Any]:
    """Return the columns of `table` that are written; computed ones are the database's."""
    return [column for column in table.columns if column.computed is None]
