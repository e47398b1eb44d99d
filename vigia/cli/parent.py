"""How a child of `vigia run` learns that its parent is gone, however that ended: its standard input closes.

The parent holds the other end of the pipe and never writes; the kernel closes it even after SIGKILL. Unlike
PR_SET_PDEATHSIG this works on every system, and does not fire when only the thread that started the child ends.
"""

import os
import signal
import threading
import time
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds a child may take for a clean end before it is ended the hard way."""


def end_with_parent(
    descriptor: int = 0,
    *,
    end: Callable[[int], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> threading.Thread:
    """Watch standard input in a thread; when it closes, send this process SIGTERM, then SIGKILL."""

    def send(number: int) -> None:
        os.kill(os.getpid(), number)

    def watch() -> None:
        # not sys.stdin: a thread that waits in it holds its lock, and the interpreter could not end
        while os.read(descriptor, 4096):
            pass
        (end or send)(signal.SIGTERM)
        pause(PATIENCE)
        (end or send)(signal.SIGKILL)

    thread = threading.Thread(target=watch, name="end-with-parent", daemon=True)
    thread.start()
    return thread
