"""Deletes rows that are no longer kept, beside the lanes: one worker at a time, in short transactions with pauses.

The worker that has the first lane of the metrics agent does it. During a take-over two may; that costs a little work,
and nothing else. A store that is away is left alone until the next time.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from vigia.stores.base import LaneId
from vigia.stores.errors import StoreError
from vigia.streaming.glance import Glance

FIRST_LANE = LaneId("metrics", 0)

REST = 1.0
"""It rests as many times as long as it has worked: it takes at most half of one connection's time."""

logger = logging.getLogger(__name__)


class Pruner:
    """Calls `prune`, which deletes some rows each time it is asked to go on, until nothing is left to delete."""

    def __init__(self, prune: Callable[[], Iterator[int]], lanes: Callable[[], Sequence[Glance]]) -> None:
        self._prune = prune
        self._lanes = lanes
        self._over = threading.Event()

    def look(self) -> None:
        """Delete all that is no longer kept, if this worker is to do it."""
        if not any(glance.row.lane == FIRST_LANE for glance in self._lanes()):
            return
        deleted, began = 0, time.monotonic()
        try:
            for some in self._prune():
                deleted += some
                if self._over.wait(REST * (time.monotonic() - began)):
                    break
                began = time.monotonic()
        except StoreError as error:
            logger.warning("old rows were not deleted, and will be later: %s", error)
        if deleted:
            logger.info("deleted %d rows of windows, hours and days that are no longer kept", deleted)

    def stop(self) -> None:
        """End at the next opportunity."""
        self._over.set()
