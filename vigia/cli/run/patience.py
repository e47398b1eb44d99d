"""Waiting for servers at the start: retry what is transient, say so, and give up with exit code 75."""

from collections.abc import Callable
from typing import TypeVar

from vigia.cli.exits import INTERRUPTED, NEEDS_PERSON, TRANSIENT, RunFailed
from vigia.cli.run.broker import BrokerDown
from vigia.stores.errors import Transient, Unusable

RETRY_SECONDS = 2.0
SAID_EVERY = 10.0

T = TypeVar("T")


class Patience:
    """Retries until `budget` seconds are used up, over all it is asked for.

    `wait` pauses and returns True when the run shall end; `say` prints one line for a person.
    """

    def __init__(
        self, budget: float, wait: Callable[[float], bool], clock: Callable[[], float], say: Callable[[str], None]
    ) -> None:
        self._wait = wait
        self._clock = clock
        self._say = say
        self._budget = budget
        self._deadline = clock() + budget

    def with_(self, operation: Callable[[], T], hint: str) -> T:
        """Return the operation's result; raises RunFailed, whose message ends with the hint."""
        said_at = float("-inf")
        while True:
            try:
                return operation()
            except (BrokerDown, Transient) as error:
                left = self._deadline - self._clock()
                if left <= 0:
                    raise RunFailed(f"{error}; waited {self._budget:g} s. {hint}", TRANSIENT) from error
                if self._clock() - said_at >= SAID_EVERY:
                    said_at = self._clock()
                    self._say(f"{error}; trying for another {left:.0f} s. {hint}")
            except Unusable as error:
                raise RunFailed(str(error), NEEDS_PERSON) from error
            if self._wait(min(RETRY_SECONDS, left)):
                raise RunFailed("stopped while waiting", INTERRUPTED)
