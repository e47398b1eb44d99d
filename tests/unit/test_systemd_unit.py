"""The unit for systemd does with exit codes what the runbook says, and systemd itself finds no fault with it."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from vigia.cli.exits import BUG, NEEDS_PERSON, TRANSIENT

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "vigia-worker@.service"


@pytest.fixture
def unit():
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT, encoding="utf-8")
    return parser


def test_a_worker_is_started_again_after_every_failure_but_the_one_that_needs_a_person(unit):
    service = unit["Service"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"].split() == [str(NEEDS_PERSON)]
    assert NEEDS_PERSON not in {BUG, TRANSIENT}
    # and never given up, however long a store is away
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert int(service["RestartSec"].removesuffix("s")) > 0


def test_it_has_more_time_to_stop_than_a_worker_takes_at_most(unit):
    # steps under way, then leaving the group: each at most STOP_WITHIN of vigia/app/worker.py
    assert int(unit["Service"]["TimeoutStopSec"].removesuffix("s")) >= 2 * 10 + 5


def test_systemd_finds_no_fault_with_it(tmp_path):
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        pytest.skip("systemd-analyze is not installed")
    # the command must exist where systemd looks: ours is not installed here
    text = UNIT.read_text(encoding="utf-8").replace("/opt/vigia/.venv/bin/python", "/bin/sh")
    (tmp_path / "vigia-worker@1.service").write_text(text)
    command = [systemd, "verify", "--man=no", str(tmp_path / "vigia-worker@1.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "vigia-worker" in line]
    assert (done.returncode, ours) == (0, [])
