"""A new file is switched to write-ahead logging by many at once: nobody is refused for it."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Barrier, Timer

import pytest

from vigia.stores.errors import NoSchema, Transient
from vigia.stores.sql.summaries import open_summaries
from vigia.stores.sqlite_raw import SqliteRawLog
from vigia.stores.sqlite_wal import use_wal

TOGETHER = 4
FILES = 50


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new.db"


@pytest.fixture
def reader(path):
    """A connection in a read of a file that is not in WAL mode."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("CREATE TABLE anything (here INTEGER)")
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM anything").fetchall()
        yield connection


def mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_a_read_that_ends_in_time_is_waited_for(path, reader):
    Timer(0.1, reader.execute, ["COMMIT"]).start()
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        use_wal(connection, timeout=10)
    assert mode(path) == "wal"


def test_a_read_that_does_not_end_is_told(path, reader):
    with closing(sqlite3.connect(path, timeout=0)) as connection, pytest.raises(sqlite3.OperationalError):
        use_wal(connection, timeout=0.05)
    assert mode(path) == "delete"


def test_what_waiting_cannot_mend_is_told_at_once(path, monkeypatch):
    monkeypatch.setattr("vigia.stores.sqlite_wal.time.sleep", lambda _: pytest.fail("it waited"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE anything (here INTEGER)")
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        use_wal(connection, timeout=10)


def summaries(path: Path) -> None:
    with closing(open_summaries(f"sqlite:///{path}")) as store, suppress(NoSchema):
        store.check()


def raw_log(path: Path) -> None:
    SqliteRawLog(path).migrate()


@pytest.mark.parametrize("open_store", [summaries, raw_log])
def test_many_that_open_a_new_file_at_once_are_not_refused(tmp_path, open_store: Callable[[Path], None]):
    start = Barrier(TOGETHER)

    def open_one(path: Path) -> bool:
        start.wait()
        try:
            open_store(path)
        except Transient:
            return False
        return True

    with ThreadPoolExecutor(TOGETHER) as pool:
        for number in range(FILES):
            assert all(pool.map(open_one, [tmp_path / f"{number}.db"] * TOGETHER))
