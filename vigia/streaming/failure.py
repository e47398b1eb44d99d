"""What happens when something fails: transient errors are retried up to a budget, everything else ends the process.

A worker that cannot go on ends at once with an exit code that says why, and its supervisor starts it again; nothing
that was not committed is lost, since positions live in the lanes.
"""

import asyncio
import logging
import os
import random
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import NoReturn, Protocol, TypeVar

from vigia.stores.errors import Transient, UnknownOutcome

EXIT_BUG = 70
"""EX_SOFTWARE: an error that nobody expected; restart, and after three attempts the batch is bisected."""
EXIT_TRANSIENT = 75
"""EX_TEMPFAIL: a store or broker did not come back within the retry budget; restart."""
EXIT_NEEDS_PERSON = 78
"""EX_CONFIG: going on could lose or repeat events; a person must read the explanation first."""

LAST_WORDS = 5.0
"""Seconds in which what is logged at the end must be out."""

SAY_EVERY = 10.0
"""Seconds between two log lines about the same operation, however many lanes it fails for."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


class LaneLostError(Exception):
    """The lane is another worker's now: whatever was under way for it is dropped."""


class NeedsPersonError(Exception):
    """The stream and the stores do not fit together; the message says how and what to do."""


class Ending(Protocol):
    """Ends the process; a test's version records it instead."""

    def __call__(self, code: int, message: str) -> NoReturn:
        """Log `message`, flush what must be flushed, and end with `code`."""


def end_process(code: int, message: str) -> NoReturn:
    """End the process at once: no other thread gets to acknowledge anything after a bug.

    Within `LAST_WORDS` even when nobody takes what is logged: a thread that is stuck writing holds the log's lock.
    """
    deadline = threading.Timer(LAST_WORDS, os._exit, (code,))
    deadline.daemon = True
    deadline.start()
    logger.critical("%s (exit code %d)", message, code)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Retry:
    """Retries transient errors with exponential backoff and full jitter (Brooker, "Exponential backoff and jitter",
    2015).

    `budget` is in seconds over one operation; `revoked` cuts waiting short. A lost answer to COMMIT is retried too:
    every method of a store is safe to repeat, but for the commit of a step, which looks itself whether it happened.
    """

    def __init__(self, budget: float, first: float = 0.05, longest: float = 2.0) -> None:
        self._budget = budget
        self._first = first
        self._longest = longest
        self.retries = 0
        """How often an operation was tried again."""
        self._said: dict[str, float] = {}

    async def run(self, what: str, operation: Callable[[], Awaitable[T]], revoked: asyncio.Event | None = None) -> T:
        """Return the operation's result; raises Transient when the budget is spent, LaneLostError when revoked
        meanwhile.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._budget
        pause, failed = self._first, False
        while True:
            try:
                result = await operation()
            except (Transient, UnknownOutcome) as error:
                if revoked is not None and revoked.is_set():
                    raise LaneLostError(what) from error
                left = deadline - loop.time()
                if left <= 0:
                    raise Transient(str(error)) from error
                self._say(what, error, left, loop.time())
            else:
                if failed and self._said.pop(what, None) is not None:
                    logger.warning("%s: works again", what)
                return result
            failed = True
            self.retries += 1
            delay = min(left, random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, self._longest)
            if await _revoked_within(revoked, delay):
                raise LaneLostError(what)

    def _say(self, what: str, error: Exception, left: float, now: float) -> None:
        """Log that an operation fails: a store that is away fails for every lane, several times a second."""
        if now - self._said.get(what, now - SAY_EVERY) >= SAY_EVERY:
            self._said[what] = now
            logger.warning("%s: %s; retrying for another %.0f s", what, error, left)


async def _revoked_within(revoked: asyncio.Event | None, seconds: float) -> bool:
    if revoked is None:
        await asyncio.sleep(seconds)
        return False
    try:
        await asyncio.wait_for(revoked.wait(), seconds)
    except TimeoutError:
        return False
    return True
