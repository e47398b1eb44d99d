"""The protocols of the two stores, and the rows that pass through them.

The raw log keeps every record once, as read; the summaries' database keeps lanes, steps, states, timers, outbox, dead
letters and summary rows, and commits one step in one transaction. Implementations block; the caller runs them off the
event loop. Every method is safe to repeat. Errors are those of `vigia.stores.errors`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from vigia.events.effects import RowRange, Timer
from vigia.events.summaries import Summary


class LaneId(NamedTuple):
    """A lane: all partitions with this number of the topics that an agent reads. People read and write it
    `metrics/0`.
    """

    agent: str
    partition: int

    def __str__(self) -> str:
        return f"{self.agent}/{self.partition}"


class LaneRow(msgspec.Struct, frozen=True, kw_only=True):
    """A lane's position and figures: the truth about what has been applied.

    `offsets` holds the next offset to apply per topic; `clock` is the highest Kafka time seen, in epoch seconds;
    `step` the number of steps applied; `outbox_next` the next outbox number. `counts` are figures since the lane
    began. `flood_*` feed the stop on floods of invalid events; a lane with a `stopped` reason applies nothing until a
    person releases it.
    """

    lane: LaneId
    version: int
    step: int
    cluster_id: str
    partition_count: int
    offsets: dict[str, int]
    clock: float
    outbox_next: int
    counts: dict[str, int]
    flood_seen: int = 0
    flood_invalid: int = 0
    flood_run: int = 0
    stopped: str = ""
    owner: str = ""


class StepRow(msgspec.Struct, frozen=True):
    """One applied step: which records, in which order; a rebuild replays these."""

    sequence: int
    topic: str
    cluster_id: str
    first_offset: int
    last_offset: int
    clock: float


class StateRow(msgspec.Struct, frozen=True):
    """A model's state under a key; `body` None deletes it."""

    key: str
    schema: int
    body: bytes | None


class SeenRow(msgspec.Struct, frozen=True):
    """An event id that has been applied: `seen_id` is derived from (key, event id)."""

    seen_id: bytes
    content: bytes
    seen_at: float


class OutboxRow(msgspec.Struct, frozen=True):
    """An output waiting to be published: numbered per lane, published in that order."""

    number: int
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    """Set only where the output must go to one partition; else the key decides."""


class DeadLetterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refused event as people list, show, replay and accept it."""

    letter_id: str
    lane: LaneId
    cluster_id: str
    topic: str
    offset: int
    position: int
    reason: str
    detail: str
    at: float
    key: bytes
    body: bytes
    """At most 64 KiB; the whole lies in the raw log."""
    body_size: int
    status: str = "open"
    """open, replayed or accepted."""


@dataclass(frozen=True, slots=True)
class StepCommit:
    """All that one step writes, in one transaction, if the lane still has `expected_version`.

    `lane` is the row as it shall be. A batch that only re-reads applied records commits no step (`step` None).
    """

    lane: LaneRow
    expected_version: int
    step: StepRow | None
    states: Sequence[StateRow] = ()
    summaries: Sequence[Summary] = ()
    timers_set: Sequence[Timer] = ()
    timers_cleared: Sequence[tuple[str, str]] = ()
    seen: Sequence[SeenRow] = ()
    outbox: Sequence[OutboxRow] = ()
    dead_letters: Sequence[DeadLetterRow] = ()
    forget_seen_before: float | None = None
    """Delete a bounded number of this lane's seen rows older than this (epoch seconds)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a step needs to know beforehand."""

    states: Mapping[str, StateRow] = field(default_factory=dict)
    seen: Mapping[bytes, bytes] = field(default_factory=dict)
    """seen id -> content hash."""


class LaneBeat(msgspec.Struct, frozen=True, kw_only=True):
    """A lane as its worker sees it. Times are Kafka's, in epoch seconds, as well as the worker knows them.

    `lag` is how many offsets of each topic are written and not applied; empty while the broker does not say.
    `oldest_at` is Kafka's time of the oldest record that is not applied, or, while none of them has been fetched, since
    when the worker has known of one; None when there is none. `stepped_at` is when `step` was last seen to rise, None
    when it did not under this worker.
    """

    agent: str
    partition: int
    state: str
    """working, idle, stopped or lost."""
    step: int
    stepped_at: float | None
    clock: float
    lag: dict[str, int]
    oldest_at: float | None
    stopped: str = ""


LATE_AFTER_BEATS = 4
"""Signs of life that may be missing until a worker is late."""


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's sign of life, every `interval` seconds: `beat_at` is when the last one came, in epoch seconds by the
    store's clock.

    `worker` names one process, and is the `owner` of its lanes. `slot` is the lowest number from 0 on that no other
    living worker had: it names the worker's own figures, of which there would be ever more under the names of
    processes. `schemas` is, by agent, the newest version of states that this worker reads and could write. `resident`
    is memory in bytes. `started_at` and the lanes' times are Kafka's.
    """

    worker: str
    host: str
    pid: int
    slot: int
    version: str
    schemas: dict[str, int]
    started_at: float
    beat_at: float
    interval: float
    resident: int
    lanes: tuple[LaneBeat, ...] = ()

    def late(self, now: float) -> bool:
        """Return whether its signs of life have been missing for too long at `now`, by the store's clock."""
        return now - self.beat_at > LATE_AFTER_BEATS * self.interval


class Heartbeats(Protocol):
    """Where workers leave their signs of life: one row a worker, each written in a short transaction of its own.

    Whether one is late is judged by the store's clock alone, since those of the workers' machines may be wrong.
    """

    def now(self) -> float:
        """Return the store's time in epoch seconds."""

    def beat(self, row: WorkerRow) -> None:
        """Insert or replace the worker's row; its `beat_at` is the store's time, whatever the row says."""

    def workers(self) -> list[WorkerRow]:
        """Return all rows, by the worker's name."""

    def forget_workers(self, silent_for: float) -> int:
        """Delete rows whose last beat is older than so many seconds; returns how many."""

    def leave(self, worker: str) -> None:
        """Delete the row of a worker that ends in order."""


class Pruning(Protocol):
    """Where rows are deleted that are no longer kept."""

    def prune(self) -> Iterator[int]:
        """Delete what `KeptSummary` rows say is no longer kept; yields after each short transaction how many rows."""


class Summaries(Protocol):
    """The summaries' database."""

    def check(self) -> list[str]:
        """Make one real request; return warnings about weak durability. Raises when the store cannot be used."""

    def migrate(self) -> None:
        """Bring the schema to the newest version; harmless when it is."""

    def acquire(self, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
        """Take the lane over: raise its version, so that any earlier owner's commit conflicts; return the row as it
        is now.

        A new lane is created with no offsets. An existing row keeps its cluster id and partition count: the caller
        compares.
        """

    def read_lane(self, lane: LaneId) -> LaneRow | None:
        """Return the lane's row without touching it."""

    def lanes(self) -> list[LaneRow]:
        """Return all lanes."""

    def topic_ids(self, lane: LaneId) -> dict[str, str]:
        """Return the broker's ids of the topics that the lane has read, by name, as far as they were kept."""

    def keep_topic_ids(self, lane: LaneId, ids: Mapping[str, str]) -> None:
        """Keep the broker's ids of topics that the lane begins to read."""

    def load(self, lane: LaneId, state_keys: Sequence[str], seen_ids: Sequence[bytes]) -> Loaded:
        """Return the states and seen ids that exist among those asked for."""

    def due(self, lane: LaneId, until: float, limit: int) -> list[Timer]:
        """Return timers with due <= `until`, ordered by (due, kind, key), at most `limit`."""

    def next_due(self, lane: LaneId) -> float | None:
        """Return when the lane's earliest timer is due."""

    def rows(self, keys: Iterable[tuple[type[Summary], tuple[object, ...]]]) -> dict[tuple[object, ...], Summary]:
        """Return the summary rows that exist among (type, primary key values), under their `effects.row_key`."""

    def rows_between(self, ranges: Sequence[RowRange]) -> list[list[Summary]]:
        """Return the summary rows in each range, in the order of their keys; ranges may overlap."""

    def commit(self, commit: StepCommit) -> None:
        """Write one step. Raises Conflict when the lane's version is another one (nothing is written then)."""

    def outbox(self, lane: LaneId, limit: int) -> list[OutboxRow]:
        """Return unpublished outputs in order."""

    def delete_outbox(self, lane: LaneId, numbers: Sequence[int]) -> None:
        """Delete outputs that the broker has acknowledged."""

    def attempts(self, lane: LaneId, topic: str, offset: int) -> int:
        """Return how often a step that starts at `offset` has ended the process."""

    def record_attempt(self, lane: LaneId, topic: str, offset: int, error: str) -> int:
        """Count one more such end; returns the new number."""

    def steps(self, lane: LaneId, after: int, limit: int) -> list[StepRow]:
        """Return applied steps with sequence > `after`, in order."""

    def dead_letters(self, status: str | None, limit: int, after: str = "") -> list[DeadLetterRow]:
        """Return refused events, oldest first; `status` None means all."""

    def dead_letter(self, letter_id: str) -> DeadLetterRow | None:
        """Return one refused event."""

    def mark_dead_letters(self, letter_ids: Sequence[str], status: str) -> int:
        """Set the status of refused events; returns how many changed."""

    def release(self, lane: LaneId) -> bool:
        """Let a stopped lane go on: clears the reason and the flood counters; false when it was not stopped."""

    def close(self) -> None:
        """Give all connections back."""


class Record(Protocol):
    """A Kafka record, as aiokafka delivers it and as the raw log returns it."""

    @property
    def topic(self) -> str:
        """The topic's physical name."""

    @property
    def partition(self) -> int:
        """The partition's number."""

    @property
    def offset(self) -> int:
        """The offset."""

    @property
    def timestamp(self) -> int:
        """Kafka's time, in epoch milliseconds."""

    @property
    def key(self) -> bytes | None:
        """The key."""

    @property
    def value(self) -> bytes | None:
        """The value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """The headers."""


class RawRecord(msgspec.Struct, frozen=True):
    """A record as the raw log returns it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class RawEntry(NamedTuple):
    """By what a record's event can be found: the record's offset, position in the message, service, event time, id.

    For records kept in rows there is one entry an event (none for what could not be decoded). For records kept in
    batches `position` is 0 and the entries name each (service, hour) of the batch at least once.
    """

    offset: int
    position: int
    service: str
    at: float
    event_id: str


class RawBatch(msgspec.Struct, frozen=True):
    """Consecutive records of one partition, as fetched, and the entries to find them by."""

    cluster_id: str
    topic: str
    partition: int
    records: Sequence[Record]
    entries: Sequence[RawEntry]
    packed: bool
    """True: one compressed row for the batch; false: one readable row an event."""


class RawLog(Protocol):
    """The raw log: every record once, as read."""

    def check(self) -> list[str]:
        """Make one real request; return warnings about weak durability. Raises when the store cannot be used."""

    def migrate(self) -> None:
        """Bring the schema to the newest version; harmless when it is."""

    def append(self, batch: RawBatch) -> None:
        """Keep the batch's records; idempotent, also when batches of a repeat are cut at other offsets."""

    def read(
        self, cluster_id: str, topic: str, partition: int, first: int, last: int | None = None
    ) -> Iterator[RawRecord]:
        """Return the records with first <= offset <= last, each once, in order."""

    def find(self, service: str, start: float, end: float) -> Iterator[RawRecord]:
        """Return the records with events of a service that happened in [start, end), each once per record."""

    def close(self) -> None:
        """Give all connections back."""
