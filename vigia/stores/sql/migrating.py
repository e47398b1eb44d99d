"""Brings the schema to the newest version, with Alembic as a library: users need no alembic.ini."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from vigia.stores.sql.database import Database

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations" / "sql"
"""The folder of Alembic's environment and versions."""


def migrate(database: Database) -> None:
    """Apply all migrations that are missing; of several processes one does it while the others wait."""
    with database.reading() as connection, database.dialect.migrating(connection):
        command.upgrade(configuration(connection), "head")


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration; without a connection it writes SQL (`command.upgrade(..., sql=True)`)."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
