"""Opens a SQLite file for write-ahead logging, which all of Vigia's SQLite files use."""

import sqlite3
import time

PAUSE = 0.005
"""Seconds until the next try."""


def use_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch the file to write-ahead logging, unless it is, waiting up to `timeout` seconds for others that use it.

    SQLite's own timeout does not cover the switch: of two connections that switch a new file at the same moment, each
    reads before it locks, so that one is refused at once (https://www.sqlite.org/c3ref/busy_handler.html).
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return
