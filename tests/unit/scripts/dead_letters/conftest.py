"""Stores with dead letters, and the command line of `scripts/dead_letters.py` on them."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.letters import command
from scripts.letters.sending import Outgoing
from tests.support.letters import LANE
from vigia.app import migrate, open_stores
from vigia.settings import load
from vigia.stores.base import DeadLetterRow, RawBatch, RawRecord, StepCommit, StepRow


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """A folder with empty stores: to migrate takes longer than any test."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(load(_settings(folder)))
    return folder


@pytest.fixture
def stores(migrated, tmp_path, monkeypatch):
    """The stores that the command line finds in its settings; no broker answers there."""
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    for name, value in _settings(tmp_path).items():
        monkeypatch.setenv(name, value)
    opened = open_stores(load())
    yield opened
    opened.close()


def _settings(folder: Path) -> dict[str, str]:
    return {
        "VIGIA_RAW_LOG_URL": f"sqlite:///{folder}/raw.db",
        "VIGIA_SUMMARIES_URL": f"sqlite:///{folder}/summaries.db",
        "VIGIA_DATA_DIR": str(folder),
        "VIGIA_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "VIGIA_KAFKA_REQUEST_TIMEOUT": "1",
    }


@pytest.fixture
def put(stores):
    """Commit a step with these letters, as a worker would; `lane` are further values of the lane's row."""

    def commit(*letters: DeadLetterRow, **lane) -> None:
        row = stores.summaries.acquire(LANE, "test", "cluster", 4)
        values = {name: getattr(row, name) for name in row.__struct_fields__}
        changed = type(row)(**values | {"version": row.version + 1, "step": row.step + 1} | lane)
        step = StepRow(changed.step, "metrics", "cluster", 0, 1, 0.0)
        stores.summaries.commit(StepCommit(changed, row.version, step, dead_letters=letters))

    return commit


@pytest.fixture
def keep(stores):
    """Put a record into the raw log at the place of letter `number`."""

    def append(number: int, value: bytes, key: bytes = b"shop") -> None:
        record = RawRecord("any", LANE.partition, number, 1_790_000_000_000, key, value)
        stores.raw_log.append(RawBatch("cluster", "metrics", LANE.partition, [record], [], packed=True))

    return append


@pytest.fixture
def sent(monkeypatch):
    """Record what is sent instead of sending it; ids in `refused` are not acknowledged."""
    taken: list[Outgoing] = []
    refused: dict[str, str] = {}

    def send(_kafka, events):
        taken.extend(events)
        return {event.letter_id: refused[event.letter_id] for event in events if event.letter_id in refused}

    monkeypatch.setattr(command, "send", send)
    return SimpleNamespace(events=taken, refused=refused)


@pytest.fixture
def run(capsys):
    """Run the command line; returns exit code, output and errors."""

    def command_line(*arguments: object) -> tuple[int, str, str]:
        code = command.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return command_line
