"""Opens a raw log by its URL; connects at the first request, never before."""

import re
from pathlib import Path

from vigia.stores.base import RawLog
from vigia.stores.errors import Unusable
from vigia.stores.raw_layout import Layout
from vigia.stores.sqlite_raw import SqliteRawLog


def open_raw_log(url: str, *, layout: Layout | None = None) -> RawLog:
    """Return the raw log that `url` names."""
    match = re.fullmatch(r"sqlite:///(?P<path>.+)", url)
    if match:
        return SqliteRawLog(Path(match["path"]), layout)
    raise Unusable(f"the raw log's URL {url!r} is none of sqlite:///path")
