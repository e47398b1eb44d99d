"""A worker that strikes itself: `python -m tests.faults.crashing_worker POINT COUNT [SIGNAL]`.

It is the real worker with a listener on its crash points that sends a signal (SIGKILL unless named) to its process
when POINT is reached for the COUNTth time: in the middle of a step, between two of its effects. After SIGSTOP and
SIGCONT it goes on right there: a zombie.
"""

import logging
import os
import signal
import sys

from vigia.app.worker import run_worker
from vigia.settings import load
from vigia.streaming.crash_points import Point


class StrikeAt:
    """Sends a signal to its own process at a point."""

    def __init__(self, point: Point, count: int, number: signal.Signals) -> None:
        self._point = point
        self._left = count
        self._signal = number

    def reached(self, point: Point) -> None:
        """Count, and strike."""
        self._left -= point is self._point
        if point is self._point and self._left == 0:
            os.kill(os.getpid(), self._signal)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level="INFO")
    struck, times, name = (*sys.argv[1:], "SIGKILL")[:3]
    sys.exit(run_worker(load(), StrikeAt(Point(struck), int(times), signal.Signals[name])))
