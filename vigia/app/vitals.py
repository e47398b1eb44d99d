"""How this worker's lanes are: what its heartbeat tells, and what the watchdog must know that a lane cannot.

Runs in a thread beside the event loop, so it still sees lanes when the loop is held up, and costs a step nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from vigia.stores.base import LaneBeat, LaneId
from vigia.stores.errors import Transient
from vigia.streaming.glance import Glance

Partition = tuple[str, int]


class Unread(NamedTuple):
    """Lanes with records on the broker that the consumer has not fetched, as found at `at` (monotonic, in seconds)."""

    at: float
    lanes: frozenset[LaneId]


class Vitals:
    """`read_ends` asks the broker for ends of logs and may raise Transient; `read_positions` says up to where the
    consumer has fetched; `now` is the wall clock in epoch seconds, `monotonic` the clock of who asks for `unread`.
    """

    def __init__(
        self,
        glance: Callable[[], list[Glance]],
        read_ends: Callable[[Iterable[Partition]], Mapping[Partition, int]],
        read_positions: Callable[[], Mapping[Partition, int]],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._glance = glance
        self._read_ends = read_ends
        self._read_positions = read_positions
        self._now = now
        self._monotonic = monotonic
        self._steps: dict[LaneId, tuple[int, float | None]] = {}
        self._behind_since: dict[LaneId, float] = {}
        self.unread = Unread(monotonic(), frozenset())
        """What the broker said when it was last asked."""

    def take(self) -> tuple[LaneBeat, ...]:
        """Return every lane of this worker as it is now, by its name."""
        glances = {each.row.lane: each for each in self._glance()}
        partitions = [(topic, lane.partition) for lane, each in glances.items() for topic in each.next_offsets]
        positions = self._read_positions()
        try:
            ends = self._read_ends(partitions)
        except Transient:
            # a broker that is away: nothing is known of what waits there
            ends = {}
        unread = frozenset(
            lane
            for lane, each in glances.items()
            if any(
                positions.get((topic, lane.partition), end) < end
                for topic in each.next_offsets
                if (end := ends.get((topic, lane.partition))) is not None
            )
        )
        self.unread = Unread(self._monotonic(), unread)
        self._steps = {lane: self._step(lane, each) for lane, each in glances.items()}
        self._behind_since = {lane: self._behind_since.get(lane, self._now()) for lane in glances if lane in unread}
        return tuple(self._beat(lane, glances[lane], ends, positions) for lane in sorted(glances))

    def _beat(
        self, lane: LaneId, glance: Glance, ends: Mapping[Partition, int], positions: Mapping[Partition, int]
    ) -> LaneBeat:
        row = glance.row
        lag = {}
        for topic, applied in glance.next_offsets.items():
            end = ends.get((topic, lane.partition))
            if end is not None:
                # behind the last record there may be marks of transactions, which nobody applies
                read = not glance.holds and positions.get((topic, lane.partition), applied) >= end
                lag[topic] = 0 if read else max(0, end - applied)
        oldest = glance.oldest_at if glance.holds else self._behind_since.get(lane)
        return LaneBeat(
            agent=lane.agent,
            partition=lane.partition,
            state=_state(glance, behind=any(lag.values())),
            step=row.step,
            stepped_at=self._steps[lane][1],
            clock=row.clock,
            lag=lag,
            oldest_at=oldest,
            stopped=row.stopped,
        )

    def _step(self, lane: LaneId, glance: Glance) -> tuple[int, float | None]:
        before = self._steps.get(lane)
        if before is None:
            return glance.row.step, None
        return before if before[0] == glance.row.step else (glance.row.step, self._now())


def _state(glance: Glance, *, behind: bool) -> str:
    if glance.lost:
        return "lost"
    if glance.row.stopped:
        return "stopped"
    return "working" if glance.holds or behind else "idle"
