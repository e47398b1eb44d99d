"""A worker's sign of life: its row in the table of workers, written from a thread of its own.

It has nothing to do with the group's heartbeats to Kafka: those say that the process lives, this says how it is.
"""

import logging
from collections.abc import Callable

import msgspec
import psutil

from vigia.stores.base import Heartbeats, LaneBeat, WorkerRow
from vigia.stores.errors import StoreError

PRUNE_EVERY = 60
"""Beats between looks at rows that are to be forgotten."""

logger = logging.getLogger(__name__)


class Heart:
    """Writes `row` anew at each beat, with what `vitals` says of the lanes; rows older than `forget_after` (s) go.

    `learn` is told the rows of all workers after each beat. `now` is the wall clock in epoch seconds.
    """

    def __init__(
        self,
        store: Heartbeats,
        row: WorkerRow,
        vitals: Callable[[], tuple[LaneBeat, ...]],
        learn: Callable[[list[WorkerRow]], None],
        now: Callable[[], float],
        forget_after: float,
    ) -> None:
        self._store = store
        self._row = row
        self._vitals = vitals
        self._learn = learn
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
            self._learn(self._store.workers())
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
