"""The memory of workers while they run."""

import threading
from contextlib import suppress
from typing import Self

import psutil

from tests.faults.crew import Crew

SAMPLE_EVERY = 0.1


class Memory:
    """Looks at every worker's resident memory, in a thread, for as long as the context lasts."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._peaks: dict[int, int] = {}
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    @property
    def peaks(self) -> list[int]:
        """The most that each worker had so far, in bytes."""
        return list(self._peaks.values())

    def __str__(self) -> str:
        """What they have now, and the most that one had."""
        now = [psutil.Process(worker.pid).memory_info().rss for worker in self._crew.workers]
        return f"{[bytes_ >> 20 for bytes_ in now]} MiB, at most {max(self.peaks) >> 20} MiB"

    def _look(self) -> None:
        while not self._leaving.wait(SAMPLE_EVERY):
            for worker in self._crew.workers:
                with suppress(psutil.NoSuchProcess):
                    resident = psutil.Process(worker.pid).memory_info().rss
                    self._peaks[worker.pid] = max(resident, self._peaks.get(worker.pid, 0))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()
