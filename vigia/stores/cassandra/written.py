"""Remembers index rows that were written, so that the same row is not written with every batch."""

import threading
from collections.abc import Hashable, Iterable


class Written:
    """The latest `capacity` rows that were written; forgetting one costs a write that changes nothing."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rows: dict[Hashable, None] = {}
        self._lock = threading.Lock()

    def missing(self, rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
        """Return those of `rows` that are not known to be written."""
        with self._lock:
            known = self._rows
            found = []
            for row in rows:
                if row in known:
                    # the latest used are at the end
                    known[row] = known.pop(row)
                else:
                    found.append(row)
            return found

    def add(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Remember `rows`; to be called when they are written, not before."""
        with self._lock:
            self._rows.update(dict.fromkeys(rows))
            while len(self._rows) > self._capacity:
                del self._rows[next(iter(self._rows))]
