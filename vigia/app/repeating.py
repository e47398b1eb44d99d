"""A thread that does one thing again and again, beside the event loop and undisturbed by it."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Repeating:
    """Calls `task` every `interval` seconds in a daemon thread; what it raises is logged, and it is called again."""

    def __init__(self, name: str, interval: float, task: Callable[[], None]) -> None:
        self._interval = interval
        self._task = task
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a call at once."""
        self._thread.start()

    def stop(self, within: float) -> None:
        """Call no more; waits for a call under way, for at most `within` seconds."""
        self._over.set()
        self._thread.join(within)

    def _run(self) -> None:
        while True:
            try:
                self._task()
            except Exception:
                logger.exception("a bug in %s", self._thread.name)
            if self._over.wait(self._interval):
                return
