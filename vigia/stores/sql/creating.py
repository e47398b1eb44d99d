"""How a migration creates tables. Released migrations depend on it."""

from alembic import op
from sqlalchemy import Table, inspect
from sqlalchemy.schema import CreateIndex, CreateTable


def create(made: Table) -> None:
    """Create a table and its indexes, skipping what exists.

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
