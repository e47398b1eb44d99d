"""A worker's sign of life: its row in the table of workers, written from a thread of its own.

It has nothing to do with the group's heartbeats to Kafka: those say that the process lives, this says how it is.
"""

import logging
import threading
from collections.abc import Callable

import msgspec
import psutil

from vigia.app.slots import NONE, choose_slot
from vigia.stores.base import Heartbeats, LaneBeat, WorkerRow
from vigia.stores.errors import StoreError

PRUNE_EVERY = 60
"""Beats between looks at rows that are to be forgotten."""

logger = logging.getLogger(__name__)


class Heart:
    """Writes `row` anew at each beat, with what `vitals` says of the lanes; rows older than `forget_after` (s) go.

    `learn` is told the rows of all workers after each beat.
    """

    def __init__(
        self,
        store: Heartbeats,
        row: WorkerRow,
        vitals: Callable[[], tuple[LaneBeat, ...]],
        learn: Callable[[list[WorkerRow]], None],
        forget_after: float,
    ) -> None:
        self._store = store
        self._row = row
        self._vitals = vitals
        self._learn = learn
        self._forget_after = forget_after
        self._beats = 0
        # held by a beat and by leaving: a beat that comes late must not bring the row of a worker back that has left
        self._at_work = threading.Lock()
        self._left = False

    @property
    def slot(self) -> int | None:
        """This worker's slot (`vigia.app.slots`); None before the first beat."""
        return None if self._row.slot == NONE else self._row.slot

    def beat(self) -> None:
        """Write the row once; a store that does not take it is only logged, since the stream does not depend on it."""
        lanes = self._vitals()
        with self._at_work:
            if self._left:
                return
            try:
                self._write(lanes)
            except StoreError as error:
                logger.warning("no heartbeat could be written: %s", error)

    def leave(self, within: float) -> None:
        """Delete the row, since the worker ends in order; waits for a beat under way for at most `within` (s)."""
        self._left = True
        if not self._at_work.acquire(timeout=within):
            logger.warning("this worker's row stays until it is forgotten: a heartbeat is still waiting for the store")
            return
        try:
            self._store.leave(self._row.worker)
        except StoreError as error:
            logger.warning("this worker's row stays until it is forgotten: %s", error)
        finally:
            self._at_work.release()

    def _write(self, lanes: tuple[LaneBeat, ...]) -> None:
        if self._row.slot == NONE:
            self._choose_slot(self._store.workers())
        resident = psutil.Process().memory_info().rss
        self._store.beat(msgspec.structs.replace(self._row, lanes=lanes, resident=resident))
        if self._beats % PRUNE_EVERY == 0:
            self._store.forget_workers(self._forget_after)
        workers = self._store.workers()
        self._learn(workers)
        self._choose_slot(workers)
        self._beats += 1

    def _choose_slot(self, workers: list[WorkerRow]) -> None:
        self._row = msgspec.structs.replace(self._row, slot=choose_slot(self._row, workers, self._store.now()))
