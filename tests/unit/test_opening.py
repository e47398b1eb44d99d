"""What opening the stores does to this machine: nothing for servers, a private folder for files."""

import os
import stat
import subprocess
import sys

import pytest

from vigia.app import make_private, open_stores
from vigia.cli import main
from vigia.cli.exits import NEEDS_PERSON, RunFailed
from vigia.cli.run import ground
from vigia.settings import load
from vigia.stores.errors import Unusable

SERVERS = {
    "VIGIA_RAW_LOG_URL": "cassandra://127.0.0.1:1/vigia",
    "VIGIA_SUMMARIES_URL": "mysql+pymysql://vigia@127.0.0.1:1/vigia?charset=utf8mb4",
}

KILLED = """
import asyncio, os
from pathlib import Path
from vigia.app import worker
from vigia.settings import load
from vigia.streaming.ownership import Cluster

class Companions:
    def __init__(self, *_):
        pass

    def start(self):
        pass

class App:
    def __init__(self, folder):
        self.folder = Path(folder)

    async def start(self):
        assert self.folder.is_dir()

async def cluster(*_):
    return Cluster("one", ephemeral=True)

async def killed(app, _stop):
    assert not app.folder.exists()
    os._exit(9)

worker.wait_for_all = worker.started_producer = cluster
worker.KafkaPublisher = worker.make_lanes = lambda *_: None
worker.Companions = Companions
worker.make_app = lambda settings, lanes, folder: App(folder)
worker._until_stopped = killed
asyncio.run(worker._work(settings := load(), worker.NoCrashPoints(), worker.open_stores(settings)))
"""
"""A worker that is killed as soon as it is up, with nobody around it."""


@pytest.fixture
def nowhere(tmp_path):
    """A data folder that nobody can make, whoever runs the test: a file is in its way."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "data"


def test_with_servers_as_stores_nothing_is_written_here(nowhere):
    open_stores(load({**SERVERS, "VIGIA_DATA_DIR": str(nowhere)})).close()


@pytest.mark.parametrize("variable", SERVERS)
def test_one_store_in_a_file_is_enough_to_make_the_folder(variable, tmp_path):
    folder = tmp_path / "data"
    environ = {**SERVERS, variable: f"sqlite:///{folder}/store.db", "VIGIA_DATA_DIR": str(folder)}
    open_stores(load(environ)).close()
    assert folder.is_dir()


def test_the_data_folder_is_for_its_user_alone(tmp_path):
    before = os.umask(0o002)
    try:
        make_private(tmp_path / "one")
        ground.lock(tmp_path / "other").close()
    finally:
        os.umask(before)
    for name in ("one", "other"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700


def test_a_folder_that_is_there_keeps_its_rights(tmp_path):
    tmp_path.chmod(0o750)
    make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_folder_that_cannot_be_made_needs_a_person_and_is_named(nowhere, monkeypatch, capsys):
    with pytest.raises(Unusable, match=f"{nowhere}.*VIGIA_DATA_DIR"):
        make_private(nowhere)
    with pytest.raises(RunFailed, match="VIGIA_DATA_DIR") as failed:
        ground.lock(nowhere)
    assert failed.value.code == NEEDS_PERSON
    monkeypatch.setenv("VIGIA_DATA_DIR", str(nowhere))
    assert main(["migrate", "--without-topics"]) == NEEDS_PERSON
    assert "VIGIA_DATA_DIR" in capsys.readouterr().err


def test_another_file_that_cannot_be_used_ends_a_migration_without_a_traceback(monkeypatch, capsys):
    def refused(_settings):
        raise PermissionError(13, "Permission denied", "/etc/ca.pem")

    monkeypatch.setattr("vigia.app.migrate", refused)
    assert main(["migrate"]) == NEEDS_PERSON
    assert "/etc/ca.pem" in capsys.readouterr().err


def test_faust_leaves_no_folder_behind_however_the_worker_ends(tmp_path):
    """Its folders are gone before the worker works, so a worker that is killed leaves none either."""
    data, temporary = tmp_path / "data", tmp_path / "tmp"
    temporary.mkdir()
    environ = {**os.environ, **SERVERS, "VIGIA_DATA_DIR": str(data), "TMPDIR": str(temporary)}
    done = subprocess.run([sys.executable, "-c", KILLED], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    assert not data.exists()
    assert list(temporary.iterdir()) == []
