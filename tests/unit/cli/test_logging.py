"""What a worker's log leaves out, and what it must not."""

import logging
import subprocess
import sys

import pytest
from aiokafka.errors import GroupCoordinatorNotAvailableError, NodeNotReadyError

from vigia.cli.worker import GROUP_START, REPEAT_AFTER, GroupStart, SaidOnce

COORDINATOR = "aiokafka.consumer.group_coordinator"


def record(error: Exception, created: float = 0.0) -> logging.LogRecord:
    made = logging.LogRecord(COORDINATOR, logging.ERROR, "", 1, "Group Coordinator Request failed: %s", (error,), None)
    made.created = created
    return made


@pytest.fixture
def level():
    logger = logging.getLogger(COORDINATOR)
    before = logger.level
    logger.setLevel(logging.INFO)
    yield logger.setLevel
    logger.setLevel(before)


def test_a_broker_that_gets_ready_for_its_first_group_is_no_error_until_it_takes_too_long(level):
    start = GroupStart()
    assert not start.filter(record(GroupCoordinatorNotAvailableError(), 100.0))
    assert not start.filter(record(GroupCoordinatorNotAvailableError(), 100.0 + GROUP_START))
    late = record(GroupCoordinatorNotAvailableError(), 101.0 + GROUP_START)
    assert start.filter(late)
    assert late.levelno == logging.ERROR


def test_details_show_it_as_a_detail(level):
    level(logging.DEBUG)
    shown = record(GroupCoordinatorNotAvailableError())
    assert GroupStart().filter(shown)
    assert (shown.levelno, shown.levelname) == (logging.DEBUG, "DEBUG")


def test_other_errors_of_the_group_stay_errors(level):
    real = record(NodeNotReadyError())
    assert GroupStart().filter(real)
    assert real.levelno == logging.ERROR
    text = logging.LogRecord(COORDINATOR, logging.ERROR, "", 1, "no arguments", None, None)
    assert GroupStart().filter(text)


def test_the_same_about_a_broker_that_is_away_is_said_once_in_a_while(level):
    said = SaidOnce()
    times = [100.0, 100.1, 99.0 + REPEAT_AFTER, 100.0 + REPEAT_AFTER, 100.1 + REPEAT_AFTER]
    assert [said.filter(record(NodeNotReadyError(), at)) for at in times] == [True, False, False, True, False]


def test_what_is_no_complaint_is_said_each_time(level):
    said = SaidOnce()
    joined = logging.LogRecord(COORDINATOR, logging.INFO, "", 1, "Joined group '%s'", ("vigia",), None)
    assert [said.filter(joined) for _ in range(2)] == [True, True]


def test_other_things_about_a_broker_are_said_at_once_and_repeats_are_details(level):
    said = SaidOnce()
    other = logging.LogRecord(COORDINATOR, logging.ERROR, "", 1, "Heartbeat failed: %r", (NodeNotReadyError(),), None)
    assert said.filter(record(NodeNotReadyError(), other.created))
    assert said.filter(other)
    level(logging.DEBUG)
    repeated = record(NodeNotReadyError(), other.created)
    assert said.filter(repeated)
    assert repeated.levelno == logging.DEBUG


def logged(level: str) -> list[str]:
    """What a process logs whose libraries say something at INFO and at ERROR."""
    program = f"""
import logging
from vigia.cli.worker import configure_logging
configure_logging("{level}")
for name in ("cassandra.policies", "alembic.runtime.plugins", "vigia.app"):
    logging.getLogger(name).info("a remark")
    logging.getLogger(name).error("an error")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return [line.split(" ", 2)[2] for line in done.stderr.splitlines()]


def test_remarks_of_libraries_are_left_out_and_their_errors_are_not():
    assert logged("INFO") == [
        "ERROR cassandra.policies: an error",
        "ERROR alembic.runtime.plugins: an error",
        "INFO vigia.app: a remark",
        "ERROR vigia.app: an error",
    ]
    assert len(logged("DEBUG")) == 6
