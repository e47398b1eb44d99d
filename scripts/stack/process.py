"""A server's process: started so that it outlives the command, and recognised later without trusting a bare pid.

A pid is reused by the system sooner or later. A record therefore also holds when the process started, counted in ticks
since a named boot (a wall clock may be set, and would then disown a running server), and its command line.
"""

import contextlib
import json
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from scripts.stack.errors import StackError
from scripts.stack.files import write_private

KILL_SECONDS = 30
EXEC_SECONDS = 10

# Servers started by this very process: their parent has to collect them when they end, whichever object ends them.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class ProcessRecord:
    """What is kept about a started server, in its ``process.json``."""

    pid: int
    started: str
    command: list[str]
    port: int
    log_offset: int
    """Size of the log when it started, so that an error shows no lines of an earlier run."""

    def save(self, path: Path) -> None:
        """Write the record to a file."""
        write_private(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> "ProcessRecord | None":
        """Read a record; None when there is none, or when it cannot be understood."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def find(self) -> psutil.Process | None:
        """The recorded process, when that very process still runs."""
        _reap(self.pid)
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            same = start_mark(self.pid) == self.started and process.cmdline() == self.command
        except (psutil.Error, OSError):
            return None
        return process if same else None


def start_mark(pid: int) -> str:
    """When a process started, in a form that neither a reboot nor a change of the clock can make ambiguous."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:  # no /proc (macOS), or no such process
        return f"time {psutil.Process(pid).create_time():.2f}"
    # The second field is the program's name in brackets and may hold spaces; the start time is the 22nd.
    return f"boot {boot} tick {stat.rpartition(')')[2].split()[19]}"


def launch(command: list[str], folder: Path, log: Path) -> int:
    """Start a program in a session of its own, its output appended to a log: Ctrl-C and hang-ups pass it by."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    _wait_for_its_command(child)
    return child.pid


def end(pid: int, patience: float) -> bool:
    """SIGTERM, then SIGKILL after ``patience`` seconds. True when it ended by itself."""
    try:
        process = psutil.Process(pid)
        if patience > 0:
            process.terminate()
            if _gone(process, patience):
                return True
        process.kill()
        process.wait(KILL_SECONDS)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired as error:
        raise StackError(f"Process {pid} is still there {KILL_SECONDS} s after SIGKILL; see: ps -p {pid} l") from error
    finally:
        _reap(pid)
    return False


def _wait_for_its_command(child: subprocess.Popen[bytes]) -> None:
    # Popen returns in the middle of exec: for some milliseconds the system may show no command line at all, and a
    # server that was just started would not be recognised.
    deadline = time.monotonic() + EXEC_SECONDS
    with contextlib.suppress(psutil.Error):
        while not psutil.Process(child.pid).cmdline() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _gone(process: psutil.Process, seconds: float) -> bool:
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        return False
    return True
