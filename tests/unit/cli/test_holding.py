"""Only after 78 is a worker held; it is unhealthy then, and ends when it is asked to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.support.waiting import wait_until
from vigia.cli import main
from vigia.cli.holding import held
from vigia.settings import load

WRAPPER = """
import sys
from vigia.cli.holding import hold
sys.exit(hold([sys.executable, "-c", sys.argv[1]]))
"""
SLEEPS = """
import signal, sys, time
signal.signal(15, lambda *_: sys.exit({code}))
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def environ(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIA_DATA_DIR", str(tmp_path / "data"))
    return dict(os.environ)


@contextmanager
def running(environ, *command: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def started(environ, worker: str) -> "AbstractContextManager[subprocess.Popen[str]]":
    return running(environ, "-c", WRAPPER, worker)


@pytest.mark.parametrize(("end", "code"), [("sys.exit(75)", 75), ("sys.exit(0)", 0), ("os.kill(os.getpid(), 9)", 137)])
def test_all_other_ends_are_the_supervisors_to_judge(environ, end, code):
    with started(environ, f"import os, sys; {end}") as process:
        assert process.wait(20) == code
    assert not held(load())


def test_after_78_it_stays_is_unhealthy_and_ends_with_78_when_it_is_asked_to(environ, capsys):
    with started(environ, "raise SystemExit(78)") as process:
        wait_until(lambda: held(load()), 20, "the mark")
        assert main(["health"]) == 1
        assert "waits for a person" in capsys.readouterr().err
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 78
        assert process.stderr is not None
        assert "a person must act" in process.stderr.read()
    assert not held(load())


@pytest.mark.parametrize("code", [0, 78])
def test_a_worker_that_is_asked_to_end_ends_and_is_not_held(environ, code):
    with started(environ, SLEEPS.format(code=code)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == code


def test_a_mark_that_was_left_behind_is_taken_away_by_the_next_start(environ, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "needs-person").touch()
    with started(environ, SLEEPS.format(code=0)) as process:
        wait_until(lambda: not held(load()), 20, "the mark is gone")
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_it_is_the_real_worker_that_is_held_by_default(environ):
    environ["VIGIA_STREAM_RETRY_BUDGET"] = "a while"
    with running(environ, "-m", "vigia", "worker", "--hold") as process:
        assert process.stderr is not None
        lines = list[str]()
        while "is not started again" not in "".join(lines):
            assert process.poll() is None
            lines.append(process.stderr.readline())
        assert "VIGIA_STREAM_RETRY_BUDGET" in "".join(lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 78
