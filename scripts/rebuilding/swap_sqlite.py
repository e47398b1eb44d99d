"""The swap on SQLite: the live file gets a second name, and the rebuilt file takes its place in one rename.

A process that has the old file open would go on writing into it under its new name, so nobody may have it open.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil

from scripts.rebuilding.errors import TryAgain
from scripts.rebuilding.places import Place


def others(live: Place) -> list[str]:
    """Return which other processes have the live file open, as far as this user may see them."""
    live.close()
    path = str(live.path.resolve())
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if any(opened.path == path for opened in process.open_files()):
                found.append(f"process {process.pid} ({' '.join(process.cmdline()[:4])})")
        except psutil.Error:
            continue  # it has ended, or is another user's
    return found


def exchange(live: Place, rebuilt: Place, kept: str) -> None:
    """Keep the live file as `kept`, and put the rebuilt one in its place; at each moment one of them is there."""
    live.close()
    rebuilt.close()
    for place in (live, rebuilt):
        _into_one_file(place.path)
    os.link(live.path, kept)
    rebuilt.path.replace(live.path)


def _into_one_file(path: Path) -> None:
    """Take a file out of WAL mode, which fails while anybody else has it open; whoever opens it next turns it on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise TryAgain(f"{path} is in use: {error}") from error
    if mode != "delete":
        raise TryAgain(f"{path} is in use, and stays in journal mode {mode}")
