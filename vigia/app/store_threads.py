"""The threads in which lanes' calls to the stores run; tells a call that hangs from one that waits its turn."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

THREADS = 16
"""One for each lane's step, and as many for raw events, which are kept meanwhile."""


class StoreThreads:
    """`clock` is monotonic, in seconds."""

    def __init__(self, threads: int = THREADS, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="store")
        self._clock = clock
        self._finished_at = clock()

    def offload(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Return what `function(*arguments)` returns, run in one of the threads."""
        return asyncio.get_running_loop().run_in_executor(self._executor, self._call, function, *arguments)

    def queued(self, within: float) -> bool:
        """Return whether calls wait for a free thread while others come to an end: one did `within` so many seconds."""
        waiting = self._executor._work_queue.qsize()  # noqa: SLF001 - it has no public length
        return waiting > 0 and self._clock() - self._finished_at <= within

    def close(self) -> None:
        """Take no more calls; what is under way ends with the process."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _call(self, function: Callable[..., T], *arguments: object) -> T:
        try:
            return function(*arguments)
        finally:
            self._finished_at = self._clock()
