"""How tables are declared, in `tables` and in migrations alike, and how a migration creates them.

Released migrations depend on this file: what it makes of the same arguments must not change.
"""

from typing import Any

from alembic import op
from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

_OPTIONS = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin", "row_format": "DYNAMIC"}


def column(name: str, kind: TypeEngine[Any], *, key: bool = False, null: bool = False) -> Column[Any]:
    """Return a quoted column, part of the primary key if `key`."""
    return Column(name, kind, primary_key=key, nullable=null, quote=True, autoincrement=False)


def table(metadata: MetaData, name: str, *parts: Any, clustered: bool = True) -> Table:
    """Return a quoted table with the options all tables share.

    `clustered` stores rows in their primary key in SQLite too (InnoDB always does); not for rows of kilobytes.
    """
    options: dict[str, Any] = {
        f"{dialect}_{option}": value for dialect in ("mysql", "mariadb") for option, value in _OPTIONS.items()
    }
    return Table(name, metadata, *parts, quote=True, sqlite_with_rowid=not clustered, **options)


def create(made: Table) -> None:
    """Create a table and its indexes, for use in a migration.

    MySQL cannot take DDL back. So a migration that was interrupted is run again, and creates what is still missing.
    """
    tables, indexes = _existing(made)
    if made.name not in tables:
        op.execute(CreateTable(made))
    for index in sorted(made.indexes, key=lambda index: str(index.name)):
        if index.name not in indexes:
            op.execute(CreateIndex(index))


def _existing(made: Table) -> tuple[set[str], set[str | None]]:
    if op.get_context().as_sql:
        return set(), set()
    inspector = inspect(op.get_bind())
    tables = set(inspector.get_table_names())
    return tables, {index["name"] for index in inspector.get_indexes(made.name)} if made.name in tables else set()
