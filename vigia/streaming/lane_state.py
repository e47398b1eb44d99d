"""What a lane keeps in memory between steps: its row, recently used states, and when its next timer is due.

All of it is a cache of what the database holds, true only while the lane is ours; a conflict or failure throws it away.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from vigia.stores.base import LaneRow


class StateCache:
    """Decoded states by key, least recently used first out. None means: known to be absent."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._states: OrderedDict[str, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def split(self, keys: set[str]) -> tuple[dict[str, Any], list[str]]:
        """Return the states that are held, and the keys that must be loaded, sorted."""
        held: dict[str, Any] = {}
        missing = []
        for key in sorted(keys):
            if key in self._states:
                self._states.move_to_end(key)
                held[key] = self._states[key]
            else:
                missing.append(key)
        return held, missing

    def update(self, states: dict[str, Any]) -> None:
        """Hold these states, and let go of the least recently used ones beyond the bound."""
        for key, state in states.items():
            self._states[key] = state
            self._states.move_to_end(key)
        while len(self._states) > self._entries:
            self._states.popitem(last=False)

    def clear(self) -> None:
        """Hold nothing."""
        self._states.clear()


class LaneState:
    """A lane as the present owner knows it. `starts` is where each topic is read from: while nothing of it
    has been applied, its next batch must begin there. `moves` counts what was brought to an end, be it an attempt that
    failed and is followed by another one.
    """

    def __init__(self, row: LaneRow, cache_entries: int, next_due: float | None, starts: Mapping[str, int]) -> None:
        self.row = row
        self._starts = starts
        self.cache = StateCache(cache_entries)
        self.next_due = next_due
        self.tick_pending_since: float | None = None
        self.moves = 0

    def next_offset(self, topic: str) -> int:
        """Return the offset that the next batch of a topic must begin at, or below."""
        return self.row.offsets.get(topic, self._starts[topic])
