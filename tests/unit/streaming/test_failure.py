"""What a person reads while a store is away: that it is, in a line now and then, and that it is back."""

import asyncio
import logging
import subprocess
import sys

import pytest

from vigia.stores.errors import Transient
from vigia.streaming import failure
from vigia.streaming.failure import EXIT_TRANSIENT, Retry


class Store:
    """Fails so many times, then answers."""

    def __init__(self, failures: int) -> None:
        self._left = failures

    async def __call__(self) -> str:
        if self._left:
            self._left -= 1
            raise Transient("no host answers")
        return "answer"


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, failure.__name__)
    return lambda: [record.getMessage() for record in caplog.records]


def run(*stores: Store) -> list[str]:
    """Call all stores at once, with one budget of 60 s and hardly a pause."""

    async def all_at_once() -> list[str]:
        retry = Retry(60.0, first=1e-6, longest=1e-5)
        return await asyncio.gather(*(retry.run("keep raw events", store) for store in stores))

    return asyncio.run(all_at_once())


def test_a_store_that_is_away_for_many_lanes_is_said_once_and_that_it_is_back_too(lines):
    assert run(Store(5), Store(5), Store(5)) == ["answer"] * 3
    assert lines() == [
        "keep raw events: no host answers; retrying for another 60 s",
        "keep raw events: works again",
    ]


def test_it_is_said_again_after_a_while(lines, monkeypatch):
    monkeypatch.setattr(failure, "SAY_EVERY", 0.0)
    assert run(Store(3)) == ["answer"]
    assert lines() == ["keep raw events: no host answers; retrying for another 60 s"] * 3 + [
        "keep raw events: works again"
    ]


def test_what_works_is_not_worth_a_line(lines):
    assert run(Store(0)) == ["answer"]
    assert lines() == []


ENDS = """
import logging, os, sys, threading, time
from vigia.streaming import failure
failure.LAST_WORDS = 0.5
logging.basicConfig(stream=sys.stderr)
threading.Thread(target=lambda: logging.critical("x" * 1_000_000), daemon=True).start()
time.sleep(0.5)
failure.end_process(75, "a store stayed away")
"""


def test_a_process_ends_even_when_nobody_takes_what_it_logs():
    process = subprocess.Popen([sys.executable, "-c", ENDS], stderr=subprocess.PIPE)
    try:
        assert process.wait(20) == EXIT_TRANSIENT
    finally:
        process.kill()
        process.communicate()
