"""SQLite's own: files that cannot be used, viewers in other processes, many threads on one file."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from tests.contract.summaries_rows import LANE, commit, take, window
from vigia.events.identity import derive_id
from vigia.events.summaries import DeploymentSummary
from vigia.stores.base import LaneId
from vigia.stores.errors import NoSchema, Transient, Unusable
from vigia.stores.sql.summaries import open_summaries

VIEWER = """
import sys
from vigia.stores.base import LaneId
from vigia.stores.sql.summaries import open_summaries
viewer = open_summaries(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(viewer.read_lane(LaneId("metrics", 0)).step, flush=True)
"""


def test_a_missing_folder_is_unusable(tmp_path):
    with pytest.raises(Unusable, match="folder"):
        open_summaries(f"sqlite:///{tmp_path}/missing/summaries.db").check()


def test_a_file_that_is_no_database_is_unusable(tmp_path):
    (tmp_path / "summaries.db").write_bytes(b"something else" * 1000)
    with pytest.raises(Unusable, match="no SQLite database"):
        open_summaries(f"sqlite:///{tmp_path}/summaries.db").check()


def test_a_database_without_the_schema_is_unusable(url):
    empty = open_summaries(url)
    for use in (empty.check, empty.lanes):
        with pytest.raises(NoSchema, match="run the migration"):
            use()
    empty.close()


def test_a_path_may_have_any_characters_percent_encoded_as_in_every_url(tmp_path):
    odd = tmp_path / "50% of #1?x=%41 ü"
    odd.mkdir()
    summaries = open_summaries(f"sqlite:///{quote(str(odd))}/summaries.db")
    summaries.migrate()
    summaries.close()
    assert (odd / "summaries.db").is_file()


def test_a_viewer_makes_no_file_and_changes_none(url, tmp_path):
    viewer = open_summaries(url, read_only=True)
    with pytest.raises(Unusable):
        viewer.lanes()
    assert list(tmp_path.iterdir()) == []
    writer = open_summaries(url)
    writer.migrate()
    take(writer)
    with pytest.raises(Unusable, match="may not write"):
        take(viewer)
    assert viewer.lanes() == writer.lanes()
    viewer.close()
    writer.close()


def test_a_viewer_in_another_process_sees_each_commit(url, summaries):
    row = take(summaries)
    command = [sys.executable, "-c", VIEWER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as viewer:
        assert viewer.stdin is not None
        assert viewer.stdout is not None
        for _ in range(3):
            row = commit(summaries, row)
            viewer.stdin.write("look\n")
            viewer.stdin.flush()
            assert int(viewer.stdout.readline()) == row.step
        viewer.stdin.close()


def test_readers_and_writers_in_many_threads_do_not_get_in_each_others_way(summaries):
    def write(number: int) -> int:
        row = take(summaries, LaneId("metrics", number))
        for step in range(15):
            row = commit(summaries, row, summaries=[window(f"{number}-{i}", step) for i in range(20)])
        return row.step

    def read(_: int) -> int:
        return max([sum(row.step for row in summaries.lanes()) for _ in range(30)])

    with ThreadPoolExecutor(8) as pool:
        written, seen = pool.map(write, range(4)), pool.map(read, range(4))
        assert list(written) == [15] * 4
        assert max(seen) <= 60
    assert sum(row.step for row in summaries.lanes()) == 60


def test_another_process_that_keeps_the_write_lock_is_waited_for_then_transient(url, summaries, monkeypatch):
    row = take(summaries)
    monkeypatch.setattr("vigia.stores.sqlite.BUSY_TIMEOUT", 0.1)
    impatient = open_summaries(url)
    with summaries._database.dialect.engine.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Transient):
            commit(impatient, row)
        holder.exec_driver_sql("ROLLBACK")
    assert commit(impatient, row) == impatient.read_lane(LANE)
    impatient.close()


def test_weak_durability_is_a_warning(summaries):
    with summaries._database.dialect.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
        warnings = summaries._database.dialect.warnings(connection)
    assert ["synchronous is 1" in warnings[0], "journal_mode is delete" in warnings[1]] == [True, True]


def test_a_key_of_another_length_than_the_tables_is_refused_and_named(summaries):
    one = derive_id("deployment", "1")
    for key in ((one,), (one, "scope", "more")):
        with pytest.raises(ValueError, match=rf"deployments has the key .*deployment_id.*scope.* {len(key)} values"):
            summaries.rows([(DeploymentSummary, key)])
