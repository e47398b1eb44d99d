"""Alembic's environment for the summaries' database: it migrates through the connection that it is given.

Run by `vigia.stores.sql.migrating`, which holds the lock. Without a connection it writes SQL for the dialect that the
configuration's attributes name.
"""

from alembic import context

from vigia.stores.sql import summary_tables
from vigia.stores.sql.tables import metadata

# imported for its effect: it adds the summaries' tables to the metadata
assert summary_tables.TABLES  # noqa: S101

connection = context.config.attributes.get("connection")
if connection is not None:
    context.configure(connection=connection, target_metadata=metadata)
else:
    context.configure(
        dialect_name=context.config.attributes["dialect_name"],
        target_metadata=metadata,
        as_sql=True,
        literal_binds=True,
    )
with context.begin_transaction():
    context.run_migrations()
