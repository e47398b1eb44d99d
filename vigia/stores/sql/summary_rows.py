"""Summary rows to and from their tables, in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, or_, select

from vigia.events.effects import row_key
from vigia.events.summaries import SUMMARIES, Summary
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.database import Database
from vigia.stores.sql.dialect import written
from vigia.stores.sql.summary_tables import TABLES
from vigia.stores.sql.types import HexId

S = TypeVar("S", bound=Summary)

KEYS_AT_ONCE = 500
"""Most rows one statement asks for."""


def read(
    database: Database, keys: Iterable[tuple[type[Summary], tuple[object, ...]]]
) -> dict[tuple[object, ...], Summary]:
    """Return the rows that exist among (type, primary key values), under their `effects.row_key`."""
    by_type: defaultdict[type[Summary], list[tuple[object, ...]]] = defaultdict(list)
    for struct, key in keys:
        by_type[struct].append(key)
    found: dict[tuple[object, ...], Summary] = {}
    with database.reading() as connection:
        for struct, wanted in by_type.items():
            for some in chunks(wanted, KEYS_AT_ONCE):
                query = select_rows(struct).where(_among(TABLES[struct], struct.primary_key, some))
                rows = (to_struct(struct, row) for row in connection.execute(query))
                found.update((row_key(row), row) for row in rows)
    return found


def write(database: Database, connection: Connection, rows: Sequence[Summary]) -> None:
    """Insert or replace rows: table by table, in key order, so that no two transactions wait for each other."""
    by_type: defaultdict[type[Summary], list[Summary]] = defaultdict(list)
    for row in rows:
        by_type[type(row)].append(row)
    for struct in SUMMARIES:
        if struct in by_type:
            ordered = sorted(by_type[struct], key=attrgetter(*struct.primary_key))
            database.statements.write(connection, TABLES[struct], _values(struct, ordered))


def select_rows(struct: type[Summary]) -> Select[*tuple[Any, ...]]:
    """Return a SELECT of the columns of a summary, in the order of its fields."""
    return select(*written(TABLES[struct]))


def to_struct(struct: type[S], row: Row[*tuple[Any, ...]]) -> S:
    """Return a row of `select_rows` as its Struct."""
    return struct(**dict(zip(struct.__struct_fields__, row, strict=True)))


def _values(struct: type[Summary], rows: list[Summary]) -> list[tuple[Any, ...]]:
    """Return the driver's values in column order: the fields as they are, but ids as bytes."""
    tuples = [msgspec.structs.astuple(row) for row in rows]
    ids = [i for i, column in enumerate(written(TABLES[struct])) if isinstance(column.type, HexId)]
    if not ids:
        return tuples
    (at,) = ids
    return [(*row[:at], bytes.fromhex(row[at]), *row[at + 1 :]) for row in tuples]


def _among(table: Table, key: tuple[str, ...], wanted: Sequence[tuple[object, ...]]) -> ColumnElement[bool]:
    """Return the condition that a row's key is wanted, in a form for which MySQL and MariaDB use the primary key."""
    if len(key) == 1:
        return table.c[key[0]].in_([values[0] for values in wanted])
    first, second = (table.c[name] for name in key)
    seconds: defaultdict[object, list[object]] = defaultdict(list)
    for one, two in wanted:
        seconds[one].append(two)
    return or_(*[and_(first == one, second.in_(twos)) for one, twos in seconds.items()])
