"""An event loop in virtual time: waiting takes none, and a test that could only wait for ever fails at once.

Time stands still while anything can run, and jumps to the next timer when nothing can. The order in which tasks run is
the same each time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingLeftError(RuntimeError):
    """All tasks wait, and nothing will ever wake them."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets, threads or a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        """Called by the base class where a real loop would wait for sockets: time jumps instead."""
        if timeout is None:
            raise NothingLeftError
        self._now += timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """No other thread wakes this loop."""


async def until(condition: Callable[[], object], within: float = 300.0, look_every: float = 0.0005) -> None:
    """Wait until `condition` holds; raises TimeoutError after `within` virtual seconds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of events
            await asyncio.sleep(look_every)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in virtual time and return its result; what it has left running is cancelled."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
