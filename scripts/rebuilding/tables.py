"""Which tables are compared, and what of them. A test holds this list against the schema, so that none is forgotten.

Left out: what is the owner's business and not the stream's (`version`, `owner`), what people have marked, and in which
version of its form a state was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Double, Table
from sqlalchemy.schema import Column

from vigia.stores.sql import tables
from vigia.stores.sql.dialect import written
from vigia.stores.sql.summary_tables import TABLES

NOT_COMPARED: dict[str, str] = {
    "outbox": "what waits to be published is gone as soon as it is; its numbers are compared with the lane",
    "attempts": "how often a worker has failed is no result",
    "lane_topics": "which topics the broker has is no result; a rebuild takes their ids over",
    "pruned": "how far old rows were deleted is no result",
    "risk_models": "retrained models are made beside the stream; a swap takes them over",
    "risk_model_changes": "the same of what people did with them",
    "shadow_scores": "the same of what they said",
    "workers": "signs of life of workers are no result",
}
"""Tables that a rebuild does not make, and why."""

IGNORED: dict[str, frozenset[str]] = {
    "lanes": frozenset({"version", "owner"}),
    "dead_letters": frozenset({"status"}),
    "states": frozenset({"schema"}),
}
"""Columns that are not compared."""

KEPT_FROM: dict[str, str] = {"windows": "windows_from", "hours": "hours_from", "days": "days_from"}
"""Tables of which old rows are deleted, and the column of `kept` that says from when on they are there."""

FIGURES: dict[str, frozenset[str]] = {"lanes": frozenset({"offsets", "counts"})}
"""Columns with a JSON object of numbers, compared one by one."""

_TIMES = {"at", "due", "clock", "first_seen", "start"}


@dataclass(frozen=True)
class Compared:
    """One table: its columns by name, in order, and how each kind of them is compared."""

    table: Table
    columns: tuple[str, ...]
    key: tuple[int, ...]
    """Places of the columns of the primary key."""
    tolerant: frozenset[int]
    """Places of computed floats. Times are data, and compared exactly."""
    figures: frozenset[int]
    ignored: frozenset[int]

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.name)


def compared_tables() -> Iterator[Compared]:
    """Return the tables to compare: the lanes first, since their figures tell most."""
    of_lanes = (tables.lanes, tables.steps, tables.interventions, tables.states, tables.due, tables.seen)
    for table in (*of_lanes, tables.dead_letters, *TABLES.values()):
        columns: list[Column[object]] = written(table)
        yield Compared(
            table,
            tuple(column.name for column in columns),
            tuple(place for place, column in enumerate(columns) if column.primary_key),
            frozenset(place for place, column in enumerate(columns) if _computed(column)),
            _places(columns, FIGURES.get(str(table.name), frozenset())),
            _places(columns, IGNORED.get(str(table.name), frozenset())),
        )


def _computed(column: Column[object]) -> bool:
    is_time = column.name in _TIMES or column.name.endswith("_at")
    return isinstance(column.type, Double) and not is_time


def _places(columns: list[Column[object]], names: frozenset[str]) -> frozenset[int]:
    return frozenset(place for place, column in enumerate(columns) if column.name in names)
