"""The command line, as a person or CI starts it: in a process of its own, without any broker."""

import asyncio
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from scripts.rebuilding import places
from scripts.rebuilding.command import main
from scripts.rebuilding.progress import Bar
from scripts.rebuilding.running import rebuild
from tests.unit.scripts.rebuild_running import execute, lived
from tests.unit.scripts.rebuild_world import settings_in
from vigia.stores.raw import open_raw_log

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def environment(life, monkeypatch):
    """The settings of a life as variables."""
    variables = {
        "VIGIA_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "VIGIA_RAW_LOG_URL": str(life.raw_log.url),
        "VIGIA_SUMMARIES_URL": str(life.summaries.url),
        "VIGIA_DATA_DIR": str(life.data_dir),
        "VIGIA_STREAM_INVALID_MINIMUM": "1000000",
        "VIGIA_STREAM_SEEN_HORIZON": "600",
        "VIGIA_METRICS_RETENTION": "900",
        "VIGIA_METRICS_SERIES_CAP": "4",
        "VIGIA_FEEDBACK": str(life.feedback),
        "VIGIA_CATALOG": str(life.catalog),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def test_another_process_with_another_hash_seed_rebuilds_to_the_last_bit(environment):
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scripts.rebuild", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    run = command("run", "--fresh")
    assert (run.returncode, run.stderr) == (0, "")
    assert " lanes are rebuilt: " in run.stdout
    against = command("compare", "--exact")
    assert (against.returncode, against.stderr) == (0, "")
    assert against.stdout.startswith("equal; rows compared: lanes 1")


def test_differences_are_shown_with_table_key_field_and_both_values(environment, life, capsys):
    execute(life.data_dir / "summaries.db", "UPDATE verdicts SET reason = '[red]so', by = 'eve'")
    assert main(["compare", "--first", "1"]) == 1
    said = capsys.readouterr().out
    assert "] by: live eve, rebuilt ada\n" in said
    assert "differences, the first 1 are above" in said
    assert "DIFFERENT; rows compared" in said
    assert main(["compare"]) == 1
    assert "] reason: live [red]so, rebuilt \n" in capsys.readouterr().out


def test_what_is_behind_is_shown_and_is_not_compared(environment, life, capsys):
    lived(life, 8, 30)
    assert main(["status"]) == 0
    assert "behind" in capsys.readouterr().out
    assert main(["compare"]) == 75
    assert "`run` goes on from there" in capsys.readouterr().err
    assert main(["run"]) == 0
    assert main(["compare"]) == 0


def test_a_swap_wants_to_be_confirmed(environment, life, capsys):
    assert main(["swap", "--watch", "0"]) == 0
    assert "Add --yes" in capsys.readouterr().out
    assert main(["swap", "--watch", "0", "--yes"]) == 0
    assert "is the rebuilt database now" in capsys.readouterr().out
    assert main(["compare"]) == 78
    assert "there is no rebuilt database" in capsys.readouterr().err


def test_a_live_database_that_is_not_there_needs_a_person(environment, life, monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", f"sqlite:///{life.data_dir}/nowhere.db")
    assert main(["run"]) == 78
    assert "does the folder of the database file exist" in capsys.readouterr().err


def test_the_bar_shows_lanes_steps_rate_and_the_remaining_time(tmp_path):
    settings = settings_in(tmp_path)
    lived(settings, 4, 40)
    text = io.StringIO()
    with Bar(Console(file=text, force_terminal=True, width=160)) as bar:
        live, other = places.live_place(settings), places.rebuilt_place(settings)
        raw_log = open_raw_log(settings.raw_log.url)
        asyncio.run(rebuild(settings, live, other, raw_log, bar))
    shown = text.getvalue()
    assert f"{bar.steps}/{bar.steps}" in shown
    assert "records/s" in shown
    assert f"lane {len(other.summaries.lanes())}/" in shown
    assert f"{bar.records} records in" in bar.summary
    for opened in (live, other, raw_log):
        opened.close()
