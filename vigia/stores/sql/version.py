"""Which schema this release needs, compared with the one that the database has: cheap, without Alembic."""

from sqlalchemy import Connection

from vigia.stores.errors import NoSchema

NEEDED = "0016"
"""The newest revision in `vigia/stores/migrations/sql/versions`; a test holds the two equal."""


def check_version(connection: Connection) -> None:
    """Raise NoSchema when the schema is older than this release; a newer one is that of a release being rolled out.

    Without Alembic's table it is the driver's error that says so.
    """
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    newest = max(found, default="none")
    if not found or newest < NEEDED:
        raise NoSchema(f"the summaries' database has schema {newest}, this release needs {NEEDED}: run the migration")
