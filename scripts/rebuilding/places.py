"""Where the three databases are: the live one, the rebuilt one beside it, and the one that a swap has replaced.

On MySQL they are schemas of one server, on SQLite files of one folder. The rebuilt one is called like the live one with
`_rebuild` behind it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, make_url

from scripts.rebuilding.errors import RebuildStopped
from vigia.settings import Settings, Url
from vigia.stores.mysql import MySQL
from vigia.stores.sql.database import Database
from vigia.stores.sql.summaries import SqlSummaries
from vigia.stores.sqlite import SQLite

REBUILT = "_rebuild"
REPLACED = "_old_%Y%m%d%H%M%S"
LONGEST_NAME = 64
"""Characters in the name of a MySQL schema."""

CONNECTIONS = 2


@dataclass(frozen=True)
class Place:
    """One summaries' database, not connected before it is used."""

    url: URL
    database: Database
    summaries: SqlSummaries

    @property
    def on_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def name(self) -> str:
        """The schema, or the file's path."""
        return str(self.url.database)

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.name)

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()


def live_place(settings: Settings, *, read_only: bool = True) -> Place:
    """Return the live database; with `read_only`, a SQLite file is neither made nor changed."""
    return _opened(settings, make_url(settings.summaries.url), read_only=read_only)


def rebuilt_place(settings: Settings) -> Place:
    """Return the rebuilt database, which may not exist yet."""
    url = make_url(settings.summaries.url)
    return _opened(settings, url.set(database=_beside(url, REBUILT)), read_only=False)


def replaced_name(live: Place, now: datetime) -> str:
    """Return what the live database is called once it is replaced: a schema's name or a file's path."""
    return _beside(live.url, now.strftime(REPLACED))


def settings_of(settings: Settings, place: Place) -> Settings:
    """Return the settings with this database as the summaries'."""
    url = Url(place.url.render_as_string(hide_password=False))
    return replace(settings, summaries=replace(settings.summaries, url=url))


def exists(live: Place, rebuilt: Place) -> bool:
    """Return whether the rebuilt database has been begun."""
    if rebuilt.on_sqlite:
        return rebuilt.path.exists()
    query = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = 'lanes'"
    with live.database.reading() as connection:
        return bool(connection.exec_driver_sql(query, (rebuilt.name,)).scalar_one())


def create(live: Place, rebuilt: Place) -> None:
    """Make the rebuilt database, empty but for its schema; harmless when it is there."""
    if not rebuilt.on_sqlite:
        with live.database.reading() as connection:
            connection.exec_driver_sql(
                f"CREATE DATABASE IF NOT EXISTS {quoted(rebuilt.name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            )
    rebuilt.summaries.migrate()


def drop(live: Place, rebuilt: Place) -> None:
    """Delete the rebuilt database."""
    rebuilt.close()
    if rebuilt.on_sqlite:
        for path in (rebuilt.path, Path(f"{rebuilt.path}-wal"), Path(f"{rebuilt.path}-shm")):
            path.unlink(missing_ok=True)
        return
    with live.database.reading() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted(rebuilt.name)}")


def quoted(name: str) -> str:
    """Return a schema's or table's name as MySQL's statements have it."""
    return "`" + name.replace("`", "``") + "`"


def _beside(url: URL, suffix: str) -> str:
    name = url.database or ""
    if url.get_backend_name() == "sqlite":
        path = Path(name)
        return str(path.with_name(path.stem + suffix + path.suffix))
    if len(name + suffix) > LONGEST_NAME:
        raise RebuildStopped(f"the schema {name} cannot have one called {name}{suffix} beside it: that is too long")
    return name + suffix


def _opened(settings: Settings, url: URL, *, read_only: bool) -> Place:
    summaries = settings.summaries
    dialect: SQLite | MySQL
    if url.get_backend_name() == "sqlite":
        dialect = SQLite(url, connections=CONNECTIONS, read_only=read_only)
    else:
        if summaries.password:
            url = url.set(password=summaries.password.reveal())
        dialect = MySQL(
            url,
            connections=CONNECTIONS,
            tls=summaries.tls,
            tls_ca=summaries.cafile,
            statement_timeout=summaries.statement_timeout,
        )
    return Place(url, Database(dialect), SqlSummaries(dialect))
