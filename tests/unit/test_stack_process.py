"""A server of the local stack is recognised by more than its pid, and ended without a trace."""

import dataclasses
import os
import sys

import psutil
import pytest

from scripts.stack import process
from scripts.stack.process import ProcessRecord, start_mark

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def launch(tmp_path):
    started = []

    def start(command=SLEEPER) -> ProcessRecord:
        log = tmp_path / "log"
        pid = process.launch(command, tmp_path, log)
        started.append(pid)
        while "up" not in log.read_text(encoding="utf-8"):
            assert psutil.pid_exists(pid)
        return ProcessRecord(pid, start_mark(pid), command, port=1, log_offset=0)

    yield start
    for pid in started:
        process.end(pid, 0)


def test_a_running_process_is_recognised(launch):
    record = launch()
    found = record.find()
    assert found is not None
    assert found.pid == record.pid


def test_a_process_is_recognised_as_soon_as_it_was_launched(tmp_path):
    """Popen returns before the system shows the command line; without a wait this fails once in some hundred times."""
    command = ["sleep", "60"]
    for _ in range(50):
        pid = process.launch(command, tmp_path, tmp_path / "log")
        try:
            assert ProcessRecord(pid, start_mark(pid), command, port=1, log_offset=0).find() is not None
        finally:
            process.end(pid, 0)


def test_a_reused_pid_is_not_recognised_by_its_start(launch):
    record = launch()
    assert dataclasses.replace(record, started="boot 0 tick 1").find() is None


def test_a_reused_pid_is_not_recognised_by_its_command(launch):
    record = launch()
    assert dataclasses.replace(record, command=["java"]).find() is None


def test_a_process_that_ended_is_not_recognised_although_its_parent_is_there(launch):
    record = launch()
    os.kill(record.pid, 9)
    psutil.wait_procs([psutil.Process(record.pid)] if psutil.pid_exists(record.pid) else [], timeout=5)
    assert record.find() is None


def test_a_process_runs_in_a_session_of_its_own(launch):
    assert os.getsid(launch().pid) != os.getsid(0)


def test_ending_asks_first(launch):
    record = launch()
    assert process.end(record.pid, patience=10) is True
    assert record.find() is None


def test_ending_a_process_that_ignores_it_kills_it(launch):
    record = launch(STUBBORN)
    assert process.end(record.pid, patience=0.2) is False
    assert record.find() is None


def test_ending_what_has_ended_is_harmless(launch):
    record = launch()
    process.end(record.pid, patience=0)
    assert process.end(record.pid, patience=1) is True


def test_a_record_survives_its_file(launch, tmp_path):
    record = launch()
    record.save(tmp_path / "process.json")
    assert ProcessRecord.load(tmp_path / "process.json") == record


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}'])
def test_a_damaged_record_counts_as_none(tmp_path, text):
    (tmp_path / "process.json").write_text(text, encoding="utf-8")
    assert ProcessRecord.load(tmp_path / "process.json") is None
