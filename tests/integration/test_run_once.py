"""`make run ONCE=1`, as a user runs it: accounts for all of its input, twice, and alike on both kinds of ground."""

import json
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.support.environment import fresh_environment
from tests.support.processes import without_settings
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 200
"""Seconds for a run; it waits for the end of the minute that its last samples lie in."""


def arguments(*words):
    return [sys.executable, "-m", "vigia", "run", *words]


def variables(**ours):
    return {**without_settings(), **ours}


def run_once(*words, **environment):
    return subprocess.run(
        arguments("--once", *words),
        cwd=ROOT,
        env=variables(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


def report_of(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def alike(report):
    """What must not depend on the ground, the hour or the speed of the machine.

    How many of Vigia's own decisions are judged does: an outcome of another kind than was predicted judges nothing, and
    which kind a scope's first deployments are scored for depends on whether an outcome has come yet.
    """
    kept = {name: value for name, value in report.items() if name != "seconds"}
    return kept | {"topics": {name: row for name, row in report["topics"].items() if name != "ai-decisions"}}


@pytest.fixture(scope="module")
def reports(stack, tmp_path_factory):
    """The reports of two embedded runs one after the other, and of one on the local stack beside them."""
    folder = tmp_path_factory.mktemp("run")
    embedded = {"VIGIA_DATA_DIR": str(folder / "embedded")}
    with fresh_environment(stack, folder / "local", migrated=False) as place, ThreadPoolExecutor() as pool:
        (folder / "env").write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in place.items()))
        local = pool.submit(run_once, "--stack", "local", "--workers", "2", VIGIA_STACK_DIR=str(folder))
        first = run_once(**embedded)
        second = run_once(**embedded)
        return {"first": report_of(first), "second": report_of(second), "local": report_of(local.result())}


def test_every_event_that_was_fed_is_accounted_for(reports):
    report = reports["first"]
    assert report["accounted"] is True
    assert report["sent"] == {"deployments": 602, "feedback": 634, "metrics": 72 + 30 * 8}
    for topic, number in report["sent"].items():
        row = report["topics"][topic]
        assert row["in"] - row["moved"] == number
        assert row["in"] == row["applied"] + row["duplicate"] + row["invalid"] + row["moved"]
        assert (row["duplicate"], row["invalid"]) == (0, 0)


def test_the_main_job_has_happened(reports):
    report = reports["first"]
    # twelve minutes of the scenario, and one window of each series of this machine
    assert report["windows"] == 12 + 8
    assert report["deployments_scored"] == 601
    assert report["outcomes_learned"] == 632
    assert (report["problems"], report["proposals"]) == (1, 1)
    assert report["topics"]["problems"]["applied"] == 2


def test_a_second_run_counts_its_own_input_completely(reports):
    assert alike(reports["second"]) == alike(reports["first"])


def test_the_local_stack_ends_with_the_same_counts(reports):
    assert alike(reports["local"]) == alike(reports["first"])


def test_decisions_of_vigia_itself_are_judged_and_all_applied(reports):
    for report in reports.values():
        row = report["topics"]["ai-decisions"]
        # what is published again after a change of owner counts once
        assert row["applied"] + row["duplicate"] == row["in"], row
        assert row["applied"] > report["deployments_scored"]


def test_what_is_not_accounted_for_in_time_is_named_and_fails(tmp_path):
    done = run_once("--timeout", "2", VIGIA_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "not drained within 2 s" in done.stderr
    assert "missing" in done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["accounted"] is False


class TestLive:
    @pytest.fixture
    def running(self, tmp_path):
        with subprocess.Popen(
            arguments(),
            cwd=ROOT,
            env=variables(VIGIA_DATA_DIR=str(tmp_path)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert "events in" in process.stdout.readline()
            try:
                yield process
            finally:
                # in order, so that no child is still ending when the next test begins
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    process.communicate(timeout=60)

    @staticmethod
    def children(process):
        found = psutil.Process(process.pid).children(recursive=True)
        assert len(found) == 2
        return found

    def test_an_interrupt_ends_everything_in_order(self, running):
        children = self.children(running)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 0
        assert "Traceback" not in said
        assert not any(child.is_running() for child in children)

    def test_nobody_is_left_when_the_run_itself_is_killed(self, running):
        children = self.children(running)
        running.kill()
        running.wait(10)
        wait_until(lambda: not any(child.is_running() for child in children), 60, "the end of the children")

    def test_a_worker_that_is_killed_is_started_again(self, running):
        (worker,) = [child for child in self.children(running) if "worker" in child.cmdline()]
        worker.kill()
        lines = iter(running.stdout.readline, "")
        said = next(line for line in lines if "starting it again" in line)
        assert "signal 9" in said
        assert next(line for line in lines if "1 restarts" in line)
        assert worker.pid not in {child.pid for child in self.children(running)}
