"""Summary rows to and from their tables, in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, select

from vigia.events.effects import RowRange, row_key
from vigia.events.summaries import SUMMARIES, Summary
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.database import Database
from vigia.stores.sql.dialect import written
from vigia.stores.sql.summary_tables import TABLES
from vigia.stores.sql.types import HexId
from vigia.stores.sql.whole_rows import AT_ONCE, Rows

S = TypeVar("S", bound=Summary)

KEYS_AT_ONCE = 100
"""Most rows one statement asks for: MariaDB plans 500 pairs of keys in 23 ms, and 100 in 2."""


RANGES_AT_ONCE = 50
"""Most ranges one statement asks for."""


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
            table = TABLES[struct]
            in_key = [place for place, column in enumerate(table.primary_key) if isinstance(column.type, HexId)]
            for some in chunks(_with_bytes(wanted, in_key), KEYS_AT_ONCE):
                for row in database.statements.read(connection, table, some):
                    made = to_struct(struct, _with_hex(row, _id_places(struct)))
                    found[row_key(made)] = made
    return found


def read_between(database: Database, ranges: Sequence[RowRange]) -> list[list[Summary]]:
    """Return the rows in each range, in the order of their keys."""
    by_type: defaultdict[type[Summary], list[int]] = defaultdict(list)
    for place, one in enumerate(ranges):
        by_type[one.kind].append(place)
    found: list[list[Summary]] = [[] for _ in ranges]
    with database.reading() as connection:
        for struct, places in by_type.items():
            table, ids = TABLES[struct], _id_places(struct)
            in_key = [place for place, column in enumerate(table.primary_key) if isinstance(column.type, HexId)]
            for some in chunks(places, RANGES_AT_ONCE):
                values = [(*ranges[place].leading, ranges[place].first, ranges[place].end) for place in some]
                wanted = list(dict.fromkeys(_with_bytes(values, in_key)))
                read_rows = database.statements.read_between(connection, table, wanted)
                made = [to_struct(struct, _with_hex(row, ids)) for row in read_rows]
                _sort_into(made, some, ranges, found)
    return found


def _sort_into(
    rows: Iterable[Summary], places: Iterable[int], ranges: Sequence[RowRange], found: list[list[Summary]]
) -> None:
    """Put rows, in the order of their keys, to the ranges (those at `places`) that they are in."""
    by_leading: defaultdict[tuple[object, ...], list[tuple[Any, Summary]]] = defaultdict(list)
    for row in rows:
        *leading, last = (getattr(row, field) for field in row.primary_key)
        by_leading[tuple(leading)].append((last, row))
    for place in places:
        one = ranges[place]
        found[place] += [row for last, row in by_leading[one.leading] if one.first <= last < one.end]


def write(database: Database, connection: Connection, rows: Sequence[Summary]) -> None:
    """Insert or replace rows: table by table, in key order, so that no two transactions wait for each other."""
    by_type: defaultdict[type[Summary], list[Summary]] = defaultdict(list)
    for row in rows:
        by_type[type(row)].append(row)
    for struct in SUMMARIES:
        if struct in by_type:
            ordered = sorted(by_type[struct], key=attrgetter(*struct.primary_key))
            if struct in database.dialect.whole_rows:
                values: list[tuple[Any, ...]] = [(Rows(some),) for some in chunks(ordered, AT_ONCE)]
            else:
                values = _with_bytes([msgspec.structs.astuple(one) for one in ordered], _id_places(struct))
            database.statements.write(connection, TABLES[struct], values)


def select_rows(struct: type[Summary]) -> Select[*tuple[Any, ...]]:
    """Return a SELECT of the columns of a summary, in the order of its fields."""
    return select(*written(TABLES[struct]))


def to_struct(struct: type[S], row: Sequence[Any]) -> S:
    """Return a row of `select_rows` as its Struct."""
    return struct(**dict(zip(struct.__struct_fields__, row, strict=True)))


def _id_places(struct: type[Summary]) -> list[int]:
    """Return the places of the fields that are ids as bytes in the database."""
    return [place for place, column in enumerate(written(TABLES[struct])) if isinstance(column.type, HexId)]


def _with_bytes(rows: list[tuple[Any, ...]], places: list[int]) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them: the ids at `places` as bytes."""
    for at in places:
        rows = [(*row[:at], bytes.fromhex(row[at]), *row[at + 1 :]) for row in rows]
    return rows


def _with_hex(row: tuple[Any, ...], places: list[int]) -> tuple[Any, ...]:
    """Return a row of the driver with the ids at `places` as text."""
    for at in places:
        row = (*row[:at], row[at].hex(), *row[at + 1 :])
    return row
