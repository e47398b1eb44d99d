"""`vigia worker --hold`: a worker under a supervisor that starts everything again, whatever its exit code was.

Docker's restart policies know "always" and "on failure", and no exit codes. But a worker that ends with 78 does so each
time until a person acts, and each time it has joined the group and made all others stop and begin anew. So its
container stays, does nothing, and is unhealthy, until it is restarted by hand.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from vigia.cli.exits import NEEDS_PERSON
from vigia.settings import Settings, SettingsError, load

WORKER = (sys.executable, "-m", "vigia", "worker", "--ends-with-stdin")

SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a process."""


def held(settings: Settings) -> bool:
    """Return whether a worker with these settings has ended with 78 and is held."""
    return _mark(settings).exists()


def hold(command: Sequence[str] = WORKER) -> int:
    """Run a worker and return its exit code; but after 78 do nothing until SIGTERM or SIGINT, and return it then."""
    asked = threading.Event()
    children: list[subprocess.Popen[bytes]] = []

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for child in children:
            child.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    _say_held(is_so=False)
    # the worker notices by its standard input when we are killed
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:  # noqa: S603 - our own interpreter and module
        children.append(child)
        if asked.is_set():
            child.terminate()
        code = child.wait()
    if code == NEEDS_PERSON and not asked.is_set():
        _say_held(is_so=True)
        print(
            "the worker ended with 78 and is not started again: a person must act on what it said last, and then "
            "restart this container",
            file=sys.stderr,
            flush=True,
        )
        asked.wait()
        _say_held(is_so=False)
    return code if code >= 0 else SIGNALLED - code


def _mark(settings: Settings) -> Path:
    return settings.data_dir / "needs-person"


def _say_held(*, is_so: bool) -> None:
    """Tell `vigia health`; with settings that cannot be loaded it needs no telling."""
    with suppress(SettingsError):
        mark = _mark(load())
        try:
            if is_so:
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.touch()
            else:
                mark.unlink(missing_ok=True)
        except OSError as error:
            print(f"`vigia health` cannot be told that the worker is held: {error}", file=sys.stderr, flush=True)
