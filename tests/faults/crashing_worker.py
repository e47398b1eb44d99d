"""A worker that kills itself: `python -m tests.faults.crashing_worker POINT COUNT`.

It is the real worker with a listener on its crash points that sends SIGKILL to the process when POINT is reached for
the COUNTth time: in the middle of a step, between two of its effects.
"""

import logging
import os
import signal
import sys

from vigia.app.worker import run_worker
from vigia.settings import load
from vigia.streaming.crash_points import Point


class KillAt:
    """Kills the process at a point."""

    def __init__(self, point: Point, count: int) -> None:
        self._point = point
        self._left = count

    def reached(self, point: Point) -> None:
        """Count, and strike."""
        self._left -= point is self._point
        if point is self._point and self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level="INFO")
    sys.exit(run_worker(load(), KillAt(Point(sys.argv[1]), int(sys.argv[2]))))
