"""The rebuild of an environment on the real stack: made again from its raw log, compared, and dropped at the end."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import text

from scripts.rebuilding import places
from scripts.rebuilding.comparing import Report, compare
from scripts.rebuilding.places import Place
from scripts.rebuilding.running import rebuild
from tests.unit.scripts.rebuild_running import Watched
from vigia.app import open_stores
from vigia.settings import Settings, load
from vigia.stores.base import RawLog


class Opened(NamedTuple):
    """What a rebuild works with, with a broker that nobody can reach."""

    settings: Settings
    live: Place
    rebuilt: Place
    raw_log: RawLog

    def rebuild(self, watch: Watched | None = None) -> Watched:
        """Run it."""
        watch = watch or Watched()
        asyncio.run(rebuild(self.settings, self.live, self.rebuilt, self.raw_log, watch))
        return watch

    def compare(self) -> Report:
        """Compare to the last bit."""
        return compare(self.settings, self.live, self.rebuilt, self.raw_log, tolerance=0.0)


@contextmanager
def opened(env: Mapping[str, str]) -> Iterator[Opened]:
    """Give the databases of an environment; the rebuilt one, and what a swap has kept, are dropped at the end."""
    settings = load({**env, "VIGIA_KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    live, other, stores = places.live_place(settings), places.rebuilt_place(settings), open_stores(settings)
    try:
        yield Opened(settings, live, other, stores.raw_log)
    finally:
        places.drop(live, other)
        with live.database.reading() as connection:
            for (name,) in connection.execute(text(f"SHOW DATABASES LIKE '{live.name}\\_old\\_%'")).all():
                connection.execute(text(f"DROP DATABASE `{name}`"))
        stores.close()
        live.close()
        other.close()
