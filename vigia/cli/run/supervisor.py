"""Keeps workers running: restarts those that end, with growing pauses, and gives up where a restart cannot help."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from vigia.cli.exits import BUG, NEEDS_PERSON, TRANSIENT, RunFailed
from vigia.cli.run.children import KILL_SECONDS, STOP_SECONDS, last_lines

FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 30.0
STEADY_SECONDS = 60.0
"""A worker that ran for so long has recovered: its next restart is quick again."""

MOST_FAILURES = 12
"""Ends in a row, each before STEADY_SECONDS, after which the run gives up."""

SHOWN_LINES = 8
SHOWN_WIDTH = 400
WAIT_SECONDS = 0.1

MEANINGS = {
    BUG: "a bug",
    TRANSIENT: "a store or the broker was away for too long",
    NEEDS_PERSON: "it needs a person",
}


class Process(Protocol):
    """What is used of a `Child`."""

    @property
    def pid(self) -> int: ...

    @property
    def log(self) -> Path: ...

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self, seconds: float) -> bool: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class WorkerStatus:
    """One worker as the view shows it; `seconds` is its uptime, or how long until its restart."""

    number: int
    state: Literal["running", "restarting"]
    pid: int | None
    restarts: int
    seconds: float
    last_end: str


class _Worker:
    def __init__(self, number: int) -> None:
        self.number = number
        self.process: Process | None = None
        self.since = 0.0
        self.restarts = 0
        self.failures = 0
        self.last_end = ""


class Supervisor:
    """`start` makes the process of a worker by its number (from 1); `clock` is monotonic, in seconds."""

    def __init__(
        self, start: Callable[[int], Process], count: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = start
        self._clock = clock
        self._stopped = False
        self._workers = [_Worker(number) for number in range(1, count + 1)]

    def start(self) -> None:
        """Start all workers."""
        for worker in self._workers:
            self._begin(worker)

    def tick(self) -> list[str]:
        """Notice ends and restart what is due; returns a sentence for each. Raises RunFailed."""
        notices = []
        for worker in self._workers:
            code = worker.process.poll() if worker.process else None
            if worker.process and code is not None:
                notices.append(self._ended(worker, worker.process, code))
            if worker.process is None and not self._stopped and self._clock() >= worker.since:
                worker.restarts += 1
                self._begin(worker)
        return notices

    def statuses(self) -> list[WorkerStatus]:
        """Return every worker's state, for the view."""
        now = self._clock()
        return [
            WorkerStatus(
                number=worker.number,
                state="running" if worker.process else "restarting",
                pid=worker.process.pid if worker.process else None,
                restarts=worker.restarts,
                seconds=abs(now - worker.since),
                last_end=worker.last_end,
            )
            for worker in self._workers
        ]

    def stop(self, seconds: float = STOP_SECONDS, hurry: Callable[[], bool] = bool) -> list[str]:
        """End all workers, by SIGKILL those that take longer than `seconds`; returns a sentence for each of these.

        `hurry` is asked meanwhile; once it says True nobody is waited for any longer.
        """
        self._stopped = True
        running = [worker.process for worker in self._workers if worker.process]
        for worker in self._workers:
            worker.process = None
        for process in running:
            process.terminate()
        deadline = self._clock() + seconds
        killed = []
        for process in running:
            while not (ended := process.wait(WAIT_SECONDS)) and self._clock() < deadline and not hurry():
                pass
            if not ended:
                process.kill()
                process.wait(KILL_SECONDS)
                killed.append(
                    f"worker process {process.pid} did not end in time and was killed; its log: {process.log}"
                )
            process.close()
        return killed

    def _begin(self, worker: _Worker) -> None:
        worker.process = self._start(worker.number)
        worker.since = self._clock()

    def _ended(self, worker: _Worker, process: Process, code: int) -> str:
        now = self._clock()
        worker.failures = 1 if now - worker.since >= STEADY_SECONDS else worker.failures + 1
        worker.process = None
        worker.last_end = _how(code)
        process.close()
        said = f"worker {worker.number} ended: {worker.last_end}"
        if code == NEEDS_PERSON:
            raise RunFailed(_explained(said, process.log), NEEDS_PERSON)
        if worker.failures >= MOST_FAILURES:
            said = f"{said}, for the {worker.failures}th time in a row"
            raise RunFailed(_explained(said, process.log), code if code in MEANINGS else BUG)
        pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (worker.failures - 1))
        worker.since = now + pause
        return f"{said}; starting it again in {pause:g} s (log: {process.log})"


def _how(code: int) -> str:
    if code < 0:
        return f"signal {-code}"
    return f"exit code {code} ({MEANINGS[code]})" if code in MEANINGS else f"exit code {code}"


def _explained(said: str, log: Path) -> str:
    lines = "\n".join(f"  | {line[:SHOWN_WIDTH]}" for line in last_lines(log, SHOWN_LINES))
    return f"{said}\nthe end of its log, {log}:\n{lines or '  (it is empty)'}"
