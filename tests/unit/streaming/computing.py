"""The pure middle of a step, without stores: a batch in, a commit out."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tests.support.fakes.notes import START, Note, encode, notes_route
from tests.support.fakes.services import services_of
from tests.support.fakes.summaries import MemorySummaries
from tests.support.fakes.world import CALM, CLUSTER, PARTITIONS, scope_of
from vigia.events.effects import States
from vigia.events.topic import Topic
from vigia.stores.base import LaneId, LaneRow, RawRecord, StepCommit
from vigia.stores.records import Records
from vigia.streaming.batches import Batch
from vigia.streaming.compute import (
    Computed,
    StepLimits,
    build_commit,
    fresh_events,
    merged,
    run_model,
    seen_ids,
)
from vigia.streaming.flood import FloodLimits
from vigia.streaming.intake import Intake, Taken
from vigia.streaming.route import Route

HERE = 1
RIGHT = services_of(HERE)
WRONG = services_of(2)
LANE = LaneId("notes", HERE)


def record(
    value: bytes | None, key: str | bytes | None, offset: int = 0, at: float = START, headers: Any = ()
) -> RawRecord:
    if isinstance(key, str):
        key = key.encode()
    return RawRecord("notes", HERE, offset, round(at * 1000), key, value, tuple(headers))


def batch(*records: RawRecord, topic: str = "notes", partition: int = HERE) -> Batch:
    """Number the records from the first one's offset on."""
    first = records[0].offset
    numbered = [msgspec.structs.replace(one, offset=first + n) for n, one in enumerate(records)]
    return Batch(topic, partition, 1, first, Records.of(numbered))


def of(*notes: Note, offset: int = 0, at: float = START) -> Batch:
    """One record a note, each in its place."""
    return batch(*(record(encode(note), note.service, offset, at) for note in notes))


def take(records: Batch, topic: Topic | None = None, future_limit: float = 300.0) -> Taken:
    route = notes_route()
    return Intake(topic or route.topic(records.topic), scope_of, future_limit).take(records, PARTITIONS, CLUSTER)


class Computing:
    """A lane whose steps are computed and committed at once."""

    def __init__(self, flood: FloodLimits = CALM, seen_horizon: float = 86_400.0, route: Route | None = None) -> None:
        self.store = MemorySummaries()
        self.row: LaneRow = self.store.acquire(LANE, "worker-1", CLUSTER, PARTITIONS)
        self.route = route or notes_route()
        self.limits = StepLimits(flood, seen_horizon)

    def compute(self, records: Batch) -> StepCommit:
        """Return what the step would write."""
        route, row = self.route, self.row
        taken = Intake(route.topic(records.topic), scope_of, 300.0).take(records, PARTITIONS, row.cluster_id)
        clock = max(row.clock, taken.clock)
        timers = self.store.due(LANE, clock, 5_000)
        keys = list(route.model.keys(taken.events))
        keys += [key for timer in timers for key in route.model.timer_keys(timer)]
        loaded = self.store.load(LANE, keys, seen_ids(route, taken))
        states = States[Any](
            {
                key: route.model.load(key, stored.schema, stored.body or b"")
                if (stored := loaded.states.get(key))
                else None
                for key in keys
            }
        )
        fresh = fresh_events(route, taken, loaded.seen)
        changes = run_model(route, fresh, timers, clock, states)
        partials = [partial for key, partial in changes.corrections.items() if key not in changes.summaries]
        existing = self.store.rows(
            (type(one), tuple(getattr(one, name) for name in one.primary_key)) for one in partials
        )
        rows = merged(route, changes, existing)
        return build_commit(row, route, Computed(taken, fresh, changes, states, list(rows.values())), self.limits)

    def apply(self, records: Batch) -> StepCommit:
        """Commit the step."""
        commit = self.compute(records)
        self.store.commit(commit)
        self.row = commit.lane
        return commit

    def applied(self, *batches: Batch) -> Sequence[StepCommit]:
        """Commit several."""
        return [self.apply(one) for one in batches]

    def count(self, figure: str, topic: str = "notes") -> int:
        return self.row.counts.get(f"{topic}.{figure}", 0)
