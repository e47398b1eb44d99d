"""The statements for many rows, as the driver's own SQL text.

A step writes thousands of rows; SQLAlchemy's handling of each row would cost more than the driver's. So rows go to
`executemany` as plain tuples in column order, which PyMySQL sends as one multi-row INSERT; windows, which are most of
them, go as text where the dialect has an encoder for them (`whole_rows.py`). Rows are read by their keys the same way:
to compile a condition for hundreds of pairs takes SQLAlchemy ten times as long as to run it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table, insert

from vigia.stores.sql import tables
from vigia.stores.sql.dialect import Dialect, written
from vigia.stores.sql.summary_tables import TABLES


class Statements:
    """The text of each statement that writes many rows, by table."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.acquire = dialect.upsert(tables.lanes, ["owner"], raised="version")
        self.count_attempt = dialect.upsert(tables.attempts, ["error"], raised="count")
        self._texts: dict[str, str] = {}
        own = (
            tables.states,
            tables.due,
            tables.seen,
            tables.dead_letters,
            tables.workers,
            tables.lane_topics,
            tables.pruned,
            tables.shadow_scores,
        )
        for table in (*own, *TABLES.values()):
            # a person's mark on a dead letter survives its event being refused again in a rebuild
            kept = {"status"} if table is tables.dead_letters else set()
            replaced = [column.name for column in written(table) if not column.primary_key and column.name not in kept]
            self._texts[table.name] = self._text(table, dialect.upsert(table, replaced))
        for kind in dialect.whole_rows:
            table = TABLES[kind]
            text, markers = self._texts[table.name], ", ".join(["%s"] * len(written(table)))
            assert text.count(f"({markers})") == 1, text  # noqa: S101
            self._texts[table.name] = text.replace(markers, "%s")
        # a number that is used twice is a bug, and must not replace what was never published
        new = (tables.outbox, tables.steps, tables.interventions, tables.risk_models, tables.risk_model_changes)
        for table in new:
            self._texts[table.name] = self._text(table, insert(table))

    def write(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows, given as values in column order; of the dialect's `whole_rows` some rows as one value."""
        if rows:
            connection.exec_driver_sql(self._texts[table.name], list(rows))

    def read(self, connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """Return the rows with these primary keys, as values in column order.

        Raises ValueError when a key has not a value for each column of the primary key.
        """
        marker = "?" if connection.dialect.paramstyle == "qmark" else "%s"
        quote = connection.dialect.identifier_preparer.quote
        names = [quote(column.name) for column in table.primary_key]
        wrong = next((key for key in keys if len(key) != len(names)), None)
        if wrong is not None:
            # a driver would refuse it, or take the next row's value for this one's
            raise ValueError(
                f"{table.name} has the key ({', '.join(names)}), not one of {len(wrong)} values: {wrong!r}"
            )
        if len(names) == 1:
            condition = f"{names[0]} IN ({','.join([marker] * len(keys))})"
        else:
            one = " AND ".join(f"{name} = {marker}" for name in names)
            condition = " OR ".join([f"({one})"] * len(keys))
        columns = ", ".join(quote(column.name) for column in written(table))
        text = f"SELECT {columns} FROM {quote(table.name)} WHERE {condition}"  # noqa: S608 - names of ours, and markers
        values = tuple(value for key in keys for value in key)
        return [tuple(row) for row in connection.exec_driver_sql(text, values)]

    def read_between(
        self, connection: Connection, table: Table, ranges: Sequence[tuple[Any, ...]]
    ) -> Sequence[tuple[Any, ...]]:
        """Return the rows in any of the ranges, as values in column order, in the order of the primary key, each once.

        A range is the values of all columns of the primary key but the last, then where that begins and ends.
        """
        marker = "?" if connection.dialect.paramstyle == "qmark" else "%s"
        quote = connection.dialect.identifier_preparer.quote
        *leading, last = [quote(column.name) for column in table.primary_key]
        one = " AND ".join([*(f"{name} = {marker}" for name in leading), f"{last} >= {marker}", f"{last} < {marker}"])
        columns = ", ".join(quote(column.name) for column in written(table))
        condition = " OR ".join([f"({one})"] * len(ranges))
        order = ", ".join([*leading, last])
        text = f"SELECT {columns} FROM {quote(table.name)} WHERE {condition} ORDER BY {order}"  # noqa: S608 - as above
        values = tuple(value for each in ranges for value in each)
        return [tuple(row) for row in connection.exec_driver_sql(text, values)]

    def text(self, table: Table) -> str:
        """Return the statement that writes rows of `table`."""
        return self._texts[table.name]

    def _text(self, table: Table, statement: Insert) -> str:
        names = [column.name for column in written(table)]
        compiled = statement.compile(dialect=self._dialect.engine.dialect, column_keys=names)
        assert compiled.positiontup == names, compiled.positiontup  # noqa: S101
        return str(compiled)
