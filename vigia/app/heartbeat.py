"""A worker's sign of life: its row in the table of workers, written from a thread of its own.

It has nothing to do with the group's heartbeats to Kafka: those say that the process lives, this says how it is.
"""

import logging
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import msgspec
import psutil

from vigia.stores.base import Heartbeats, LaneBeat, WorkerRow
from vigia.stores.errors import StoreError

PRUNE_EVERY = 60
"""Beats between looks at rows that are to be forgotten."""

logger = logging.getLogger(__name__)


def code_version() -> str:
    """Return the version of the installed package; `unknown` for a bare checkout."""
    try:
        return version("vigia")
    except PackageNotFoundError:
        return "unknown"


class Heart:
    """Writes `row` anew at each beat, with what `vitals` says of the lanes; rows older than `forget_after` (s) go.

    `learn` is told the rows of all workers after each beat. `now` is the wall clock in epoch seconds.
    """

    def __init__(
        self,
        store: Heartbeats,
        row: WorkerRow,
        vitals: Callable[[], tuple[LaneBeat, ...]],
        now: Callable[[], float],
        forget_after: float,
    ) -> None:
        self._store = store
        self._row = row
        self._vitals = vitals
        self._now = now
        self._forget_after = forget_after
        self._beats = 0

    def beat(self) -> None:
        """Write the row once; a store that does not take it is only logged, since the stream does not depend on it."""
        row = msgspec.structs.replace(
            self._row, beat_at=self._now(), lanes=self._vitals(), resident=psutil.Process().memory_info().rss
        )
        try:
            self._store.beat(row)
            if self._beats % PRUNE_EVERY == 0:
                self._store.forget_workers(self._now() - self._forget_after)
        except StoreError as error:
            logger.warning("no heartbeat could be written: %s", error)
            return
        self._beats += 1

    def leave(self) -> None:
        """Delete the row: the worker ends in order."""
        try:
            self._store.leave(self._row.worker)
        except StoreError as error:
            logger.warning("this worker's row stays until it is forgotten: %s", error)


class Beside:
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
