"""The fakes' stores and broker, with what must hold at every moment checked at the moment it could be broken."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.support.fakes.broker import Headers, MemoryBroker
from tests.support.fakes.summaries import MemorySummaries
from vigia.stores.base import LaneId, LaneRow, OutboxRow, RawRecord, StepCommit
from vigia.streaming.partitions import partition_of

if TYPE_CHECKING:
    from tests.simulation.world import World

Content = tuple[str, bytes, bytes, tuple[tuple[str, bytes], ...]]
"""Topic, key, value and headers of an output."""


def content(row: OutboxRow) -> Content:
    """What an output is, without its number."""
    return row.topic, row.key, row.value, row.headers


class WatchedSummaries(MemorySummaries):
    """Notes who takes lanes over and commits, and whether a step may be committed at all."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world
        self.outputs: defaultdict[LaneId, list[OutboxRow]] = defaultdict(list)
        self.issued: set[Content] = set()
        self.committed_last: set[LaneId] = set()
        """Lanes whose last change was a step, not a take-over."""

    def acquire(self, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
        row = super().acquire(lane, owner, cluster_id, partition_count)
        self.committed_last.discard(lane)
        self._world.trace.add("database", f"lane {lane.partition} -> {owner}", f"v{row.version}")
        return row

    def commit(self, commit: StepCommit) -> None:
        before = self.lane_rows.get(commit.lane.lane)
        super().commit(commit)
        step = commit.step
        if step is None or before is None:
            # where a new lane begins
            return
        lane, row = commit.lane.lane, commit.lane
        # the versions are not compared here: that a lane's steps follow each other is what they are for
        offsets = f"{step.topic} {step.first_offset}-{step.last_offset}"
        self._world.trace.add("database", f"step {lane.partition}/{row.step} v{row.version} of {row.owner}:", offsets)
        self.committed_last.add(lane)
        self.outputs[lane].extend(commit.outbox)
        self.issued.update(map(content, commit.outbox))
        if before.stopped:
            self._world.violated(f"step {row.step} of {lane} was committed while the lane was stopped")
        if before.step + 1 != row.step or before.offsets.get(step.topic, 0) > step.first_offset:
            self._world.violated(f"step {row.step} of {lane} ({offsets}) does not follow step {before.step}")
        self._check_raw(lane, commit)

    def _check_raw(self, lane: LaneId, commit: StepCommit) -> None:
        step, world = commit.step, self._world
        if step is None:
            return
        for record in world.broker.logs[step.topic, lane.partition]:
            place = (commit.lane.cluster_id, step.topic, lane.partition, record.offset)
            if step.first_offset <= record.offset <= step.last_offset and place not in world.raw_log.records:
                world.violated(f"{step.topic}/{lane.partition}/{record.offset} was applied before it was kept")
                return


class SimulatedBroker(MemoryBroker):
    """Stamps records with its own clock (LogAppendTime), leaves holes, and wakes those who wait for records."""

    def __init__(self, world: "World", inputs: Sequence[str], partitions: int) -> None:
        super().__init__(inputs, partitions)
        self._world = world
        self.readers: list[Callable[[str, int], None]] = []
        self.appended = 0
        self.skews: defaultdict[int, float] = defaultdict(float)
        """By how many seconds the clock of a partition's leader is ahead."""
        self.committed: dict[tuple[str, int], int] = {}
        """Kafka's own idea of what the group has read; it decides nothing."""

    def publish_now(self, rows: Sequence[OutboxRow]) -> None:
        """Append outputs."""
        for row in rows:
            if content(row) not in self._world.summaries.issued:
                self._world.violated(f"output {row.number} to {row.topic} was published before it was committed")
        self.publish(rows, self._world.now())

    def tick_now(self, topic: str, partition: int) -> None:
        """Append a tick."""
        self._world.trace.add("broker", f"tick in {topic}/{partition}")
        self.tick(topic, partition, self._world.now())

    def lose_tail(self, topic: str, partition: int, start: int) -> dict[int, RawRecord]:
        """Put other records at the offsets from `start` on, as an election of a leader that lacked them does once their
        senders have sent them again; returns them by the offsets at which they lay before.
        """
        log = self.logs[topic, partition]
        kept, lost = ([one for one in log if (one.offset < start) is early] for early in (True, False))
        stamp = round((self._world.now() + self.skews[partition]) * 1000)
        anew = {
            now.offset: RawRecord(topic, partition, then.offset, stamp, now.key, now.value, now.headers)
            for then, now in zip(lost, [*lost[1:], *lost[:1]], strict=True)
        }
        log[:] = kept + sorted(anew.values(), key=lambda one: one.offset)
        return anew

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        at: float,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
        skip: int = 0,
    ) -> RawRecord:
        if partition is None:
            partition = partition_of(key or b"", self.partitions)
        at += self.skews[partition]
        record = super().append(topic, value, at=at, key=key, partition=partition, headers=headers, skip=skip)
        self.appended += 1
        for wake in self.readers:
            wake(topic, record.partition)
        return record
