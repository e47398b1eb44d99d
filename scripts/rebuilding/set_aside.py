"""What was set aside because the model failed on it too often: records and timers, found again in their dead letters.

A rebuild sets them aside too, whether or not this release would fail on them: what is rebuilt is what happened.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import select

from scripts.rebuilding.places import Place
from vigia.events.effects import Timer
from vigia.events.invalid import Reason
from vigia.stores.base import LaneId, StepRow
from vigia.stores.sql.tables import dead_letters
from vigia.streaming.dead_letters import TIMER_POSITION

_Offset = tuple[str, str, int]
"""Cluster id, topic, offset."""

_TIMER = msgspec.json.Decoder(Timer)


@dataclass(frozen=True)
class SetAside:
    """What a lane has set aside, and why."""

    _records: dict[_Offset, str] = field(default_factory=dict)
    _timers: dict[_Offset, dict[Timer, str]] = field(default_factory=dict)

    def record(self, step: StepRow) -> str:
        """Return why the record of a step was refused; empty when it was applied."""
        return self._records.get((step.cluster_id, step.topic, step.first_offset), "")

    def timers(self, step: StepRow) -> Mapping[Timer, str]:
        """Return the timers that a step has dropped, and why."""
        return self._timers.get((step.cluster_id, step.topic, step.last_offset), {})

    def add(self, place: _Offset, position: int, why: str, body: bytes) -> None:
        """Take a dead letter in."""
        if position == TIMER_POSITION:
            self._timers.setdefault(place, {})[_TIMER.decode(body)] = why
        else:
            self._records[place] = why


def read_set_aside(live: Place) -> defaultdict[LaneId, SetAside]:
    """Return what each lane of the live database has set aside."""
    table = dead_letters.c
    query = select(
        table.agent,
        table.partition,
        table.cluster_id,
        table.topic,
        table.offset,
        table.position,
        table.detail,
        table.body,
    ).where(table.reason == Reason.MODEL_ERROR)
    found: defaultdict[LaneId, SetAside] = defaultdict(SetAside)
    for agent, partition, cluster_id, topic, offset, position, why, body in live.database.fetch(query):
        found[LaneId(agent, partition)].add((cluster_id, topic, offset), position, why, body)
    return found
