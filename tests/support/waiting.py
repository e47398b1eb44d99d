"""Waiting for what another process does, with a limit and a reason."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float, what: str = "the condition", pause: float = 0.1) -> T:
    """Return the first true value of `condition`; fails with its last value after `timeout` seconds.

    Whatever the condition raises passes through: a condition that fails is not one that is not met yet.
    """
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {timeout:.0f} s; last value: {value!r}")
        time.sleep(pause)
