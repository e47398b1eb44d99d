"""More partitions for an agent's topics: which lane each of its keys then belongs to, and what each lane's row becomes.

Pure. A key's lane is its hash modulo the number of partitions, so a key can only go from a lane to those that are
congruent to it modulo the greatest common divisor of both numbers: from 4 to 6 partitions lane 1 shares its keys with
the lanes 3 and 5, and with none of the others.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from vigia.events.effects import Model, Timer
from vigia.stores.base import LaneId, LaneRow
from vigia.streaming.partitions import partition_of


@dataclass(frozen=True)
class Repartition:
    """From `before` to `after` partitions of the topics that the agent reads whose model this is."""

    agent: str
    topics: tuple[str, ...]
    model: Model[Any, Any]
    before: int
    after: int

    def __post_init__(self) -> None:
        if not 0 < self.before < self.after:
            raise ValueError(f"partitions can only be added: {self.before} to {self.after}")

    def lane_of(self, state_key: str) -> int:
        """Return the lane in which a state then lies."""
        return partition_of(self.model.record_key(state_key).encode(), self.after)

    def lane_before(self, state_key: str) -> int:
        """Return the lane in which a state lies as long as nothing has changed."""
        return partition_of(self.model.record_key(state_key).encode(), self.before)

    def state_key_of(self, timer: Timer) -> str:
        """Return the key of a state that a timer goes with."""
        return min(self.model.timer_keys(timer))

    def shared(self) -> list[tuple[list[int], list[int]]]:
        """Return the lanes there are and will be in groups: no key leaves its group.

        >>> from vigia.models.telemetry import TelemetryModel
        >>> Repartition("telemetry", ("ai-decisions",), TelemetryModel(), 4, 6).shared()
        [([0, 2], [0, 2, 4]), ([1, 3], [1, 3, 5])]
        """
        groups = math.gcd(self.before, self.after)
        return [
            (list(range(first, self.before, groups)), list(range(first, self.after, groups))) for first in range(groups)
        ]

    def rows(self, held: Iterable[LaneRow], cluster_id: str) -> list[LaneRow]:
        """Return the row of each lane there will be, as the step that adds partitions leaves it.

        `held` are the rows of the lanes there are. All clocks come together at the latest: everything that any lane
        has applied came before, and a state's time must not go back when it changes lanes. New lanes begin at the
        beginning of their logs.
        """
        rows = {row.lane.partition: row for row in held}
        clock = max((row.clock for row in rows.values()), default=0.0)
        return [self._row(number, rows, cluster_id, clock) for number in range(self.after)]

    def _row(self, number: int, rows: Mapping[int, LaneRow], cluster_id: str, clock: float) -> LaneRow:
        row = rows.get(number)
        if row is None:
            row = LaneRow(
                lane=LaneId(self.agent, number),
                version=0,
                step=0,
                cluster_id=cluster_id,
                partition_count=self.after,
                offsets=dict.fromkeys(self.topics, 0) if number >= self.before else {},
                clock=clock,
                outbox_next=0,
                counts={},
                owner="",
            )
        return msgspec.structs.replace(
            row, version=row.version + 1, step=row.step + 1, partition_count=self.after, clock=clock
        )


def misplaced(plan: Repartition, lane: int, state_keys: Sequence[str]) -> list[str]:
    """Return those of a lane's state keys that do not belong there: they must not be moved before it is known why."""
    return [key for key in state_keys if plan.lane_before(key) != lane]
