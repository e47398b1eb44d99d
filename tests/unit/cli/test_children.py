"""Children are started with a log and a pipe, and end with whoever started them."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from vigia.cli.parent import PATIENCE, end_with_parent
from vigia.cli.run.children import Child, last_lines, rotate


@pytest.fixture
def modules(tmp_path):
    folder = tmp_path / "modules"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(modules):
    return {**os.environ, "PYTHONPATH": str(modules)}


def test_a_childs_output_goes_to_its_log_and_its_code_is_known(tmp_path, modules, environment):
    (modules / "child.py").write_text("import sys; print('out'); print('err', file=sys.stderr); sys.exit(75)")
    child = Child("child", [], environment, tmp_path / "child.log")
    assert child.wait(60)
    child.close()
    assert child.poll() == 75
    assert sorted(last_lines(child.log, 10)) == ["err", "out"]


def test_a_child_answers_over_a_pipe_when_asked_to(tmp_path, modules, environment):
    (modules / "child.py").write_text("print('here I am', flush=True); input()")
    child = Child("child", [], environment, tmp_path / "child.log", answers=True)
    assert child.answers.readline() == b"here I am\n"
    assert child.poll() is None
    child.close()
    assert child.wait(60)


def test_a_child_does_not_get_the_terminals_interrupt(tmp_path, modules, environment):
    (modules / "child.py").write_text("import os; print(os.getsid(0) == os.getpid(), flush=True)")
    child = Child("child", [], environment, tmp_path / "child.log", answers=True)
    assert child.answers.readline() == b"True\n"
    child.wait(60)
    child.close()


def test_children_end_when_their_parent_is_killed(tmp_path, modules, environment):
    """The parent is killed with SIGKILL, so nothing of its own can end the child; only the pipe does."""
    (modules / "child.py").write_text(
        "from vigia.cli.parent import end_with_parent\n"
        "import signal, sys, threading\n"
        "ended = threading.Event()\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('asked to end', flush=True), sys.exit(0)))\n"
        "end_with_parent()\n"
        "print('up', flush=True)\n"
        "threading.Event().wait(100)\n"
    )
    log = tmp_path / "child.log"
    (modules / "parent.py").write_text(
        "import os, pathlib, time\n"
        "from vigia.cli.run.children import Child\n"
        f"child = Child('child', [], os.environ, pathlib.Path({str(log)!r}))\n"
        "while b'up' not in child.log.read_bytes():\n"
        "    time.sleep(0.05)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-m", "parent"], env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        descriptor = os.pidfd_open(pid)
        parent.kill()
    try:
        assert _ends_within(descriptor, 30)
    finally:
        os.close(descriptor)
    assert last_lines(log, 1) == ["asked to end"]


def _ends_within(descriptor, seconds):
    import select  # noqa: PLC0415

    return bool(select.select([descriptor], [], [], seconds)[0])


def test_a_child_that_does_not_end_when_asked_is_ended():
    read, write = os.pipe()
    told: list[float] = []
    thread = end_with_parent(read, end=told.append, pause=told.append)
    os.write(write, b"whatever")
    assert told == []
    os.close(write)
    thread.join(10)
    os.close(read)
    assert told == [signal.SIGTERM, PATIENCE, signal.SIGKILL]


def test_watching_the_parent_does_not_keep_a_process_alive():
    read, write = os.pipe()
    before = threading.active_count()
    told: list[float] = []
    assert end_with_parent(read, end=told.append, pause=told.append).daemon
    assert threading.active_count() == before + 1
    os.close(write)


def test_logs_of_earlier_runs_are_kept_up_to_a_number(tmp_path):
    log = tmp_path / "log" / "worker-1.log"
    for run in range(5):
        rotate(log, kept=2)
        log.write_text(f"run {run}")
    assert sorted(path.name for path in log.parent.iterdir()) == ["worker-1.log", "worker-1.log.1", "worker-1.log.2"]
    assert (log.with_name("worker-1.log.1").read_text(), log.with_name("worker-1.log.2").read_text()) == (
        "run 3",
        "run 2",
    )


def test_a_log_without_a_line_is_not_kept(tmp_path):
    log = tmp_path / "worker-1.log"
    log.touch()
    rotate(log)
    assert [path.name for path in tmp_path.iterdir()] == ["worker-1.log"]


def test_the_last_lines_of_a_long_log_are_read_without_reading_all_of_it(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {number}\n" for number in range(1_000)))
    assert last_lines(log, 2, limit=50) == ["line 998", "line 999"]
    assert last_lines(tmp_path / "none.log", 2) == []
