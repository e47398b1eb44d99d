"""A child process of the run: started with its output in a log and a pipe by which it notices our end; ended by pid."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

KEPT_LOGS = 5
STOP_SECONDS = 25.0
"""How long a child may take for a clean end before SIGKILL: more than a step takes, less than a person waits."""

KILL_SECONDS = 10.0


class Child:
    """One process. It has a session of its own: Ctrl-C reaches only the run, which then ends it in order."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        answers: bool = False,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [sys.executable, "-m", module, *arguments],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if answers else output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def answers(self) -> IO[bytes]:
        """What it writes to standard output, when it was started with `answers`."""
        if self._process.stdout is None:
            raise ValueError("this child's output goes to its log")
        return self._process.stdout

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs; a signal's number is negative."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it the hard way."""
        self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Return whether it has ended within `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Close our ends of its pipes."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def rotate(log: Path, kept: int = KEPT_LOGS) -> None:
    """Make room for a log: that of an earlier run moves from `x.log` to `x.log.1`, and `kept` of them stay."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists() or not log.stat().st_size:
        return
    for number in range(kept, 0, -1):
        older = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number}"))


def last_lines(log: Path, count: int, limit: int = 64 * 1024) -> list[str]:
    """Return the last lines of a log; nothing when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
            return file.read().decode("utf-8", errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []
