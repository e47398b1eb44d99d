"""Worker processes for tests: started as a user starts them, ready when their lanes are theirs, ended by their pid."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.environment import opened_stores
from tests.support.processes import without_settings
from tests.support.waiting import wait_until
from vigia.stores.base import LaneId

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 90.0
STOP_WITHIN = 30.0
LOG_SHOWN = 12_000
"""Characters of a worker's log that a failure shows."""


class WorkerProcess:
    """One worker process and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path, env: Mapping[str, str]) -> None:
        self.process = process
        self.log_file = log_file
        self.env = env

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def log(self) -> str:
        """Everything it has written so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def lanes(self) -> list[LaneId]:
        """Return the lanes that this process took over last."""
        with opened_stores(self.env) as stores:
            return [row.lane for row in stores.summaries.lanes() if f"-{self.pid}-" in row.owner]

    def wait_ready(self, timeout: float = READY_WITHIN) -> None:
        """Wait until the process owns a lane; fails with its log when it ends or takes too long."""

        def ready() -> bool:
            assert self.running, f"the worker ended with {self.process.returncode}:\n{self.log[-LOG_SHOWN:]}"
            return bool(self.lanes())

        try:
            wait_until(ready, timeout, "the worker's first lane", pause=0.25)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-LOG_SHOWN:]}") from None

    def wait_ended(self, timeout: float) -> int:
        """Return the exit code; fails when the process goes on."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker goes on after {timeout:.0f} s:\n{self.log[-LOG_SHOWN:]}") from None

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait(STOP_WITHIN)

    def stop(self) -> int:
        """SIGTERM, SIGKILL when that does not help; returns the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the worker did not stop on SIGTERM:\n{self.log[-LOG_SHOWN:]}") from None


def start_worker(env: Mapping[str, str], *, command: tuple[str, ...] = ("-m", "vigia", "worker")) -> WorkerProcess:
    """Start a worker and return at once. Who starts it ends it; its log is in the environment's data folder."""
    folder = Path(env["VIGIA_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    log_file = folder / f"worker-{time.monotonic_ns()}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=without_settings() | dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return WorkerProcess(process, log_file, env)


@contextmanager
def worker(
    env: Mapping[str, str], *, ready: bool = True, command: tuple[str, ...] = ("-m", "vigia", "worker")
) -> Iterator[WorkerProcess]:
    """Run a worker: waits until it owns a lane (unless `ready` is false), and ends it, if it still runs, by its pid.

    When the test fails meanwhile, the end of the log is added to the failure.
    """
    process = start_worker(env, command=command)
    try:
        if ready:
            process.wait_ready()
        yield process
    except BaseException as error:
        error.add_note(f"--- log of worker {process.pid} ---\n{process.log[-LOG_SHOWN:]}")
        raise
    finally:
        if process.running:
            process.stop()
