"""All agents at work on SQLite stores, without a broker: the real step, in random cuts, with crashes and new owners.

What they write to topics that agents read comes back as input, as it does through Kafka.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scripts.repartitioning.acting import Who, redistribute, take_over
from tests.unit.scripts.rebuild_feed import Feed
from vigia import app
from vigia.app.routes import ROUTES
from vigia.app.steps import make_steps
from vigia.events.effects import Timer
from vigia.settings import Settings, load
from vigia.stores.base import LaneId, LaneRow, OutboxRow, RawRecord, StepCommit
from vigia.stores.records import Records
from vigia.streaming.batches import TICK_HEADER, Batch
from vigia.streaming.crash_points import Point
from vigia.streaming.failure import Retry, end_process
from vigia.streaming.lane_state import LaneState
from vigia.streaming.ownership import Cluster, adopt
from vigia.streaming.partitions import partition_of
from vigia.streaming.ports import Ports
from vigia.streaming.repartition import Repartition
from vigia.streaming.step import Step

START = 1_700_000_040.0
PARTITIONS = 4
AGENT_OF = {topic.name: row.name for row in ROUTES for topic in row.reads}
TOPICS_OF = {row.name: [topic.name for topic in row.reads] for row in ROUTES}


def _at_once(function: Callable[..., Any], *arguments: object) -> Awaitable[Any]:
    async def call() -> Any:
        return function(*arguments)

    return call()


class Crash(Exception):
    """The worker's process has ended here."""


class CrashAt:
    """Crash points that end the process at the point that is set."""

    def __init__(self) -> None:
        self.point: Point | None = None

    def reached(self, point: Point) -> None:
        if point is self.point:
            self.point = None
            raise Crash(point)


def settings_in(folder: Path, **more: str) -> Settings:
    """Return settings with both stores in `folder`, and a broker that nobody can reach."""
    return load(
        {
            "VIGIA_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "VIGIA_RAW_LOG_URL": f"sqlite:///{folder}/raw.db",
            "VIGIA_SUMMARIES_URL": f"sqlite:///{folder}/summaries.db",
            "VIGIA_DATA_DIR": str(folder),
            "VIGIA_STREAM_INVALID_MINIMUM": "1000000",
            "VIGIA_STREAM_SEEN_HORIZON": "600",
            "VIGIA_METRICS_RETENTION": "900",
            "VIGIA_METRICS_SERIES_CAP": "4",
            **more,
        }
    )


class World:
    """Logs in memory, stores in files, one lane state for each lane that is owned."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        app.migrate(settings)
        self.settings = settings
        self.stores = app.open_stores(settings)
        self.chance = random.Random(seed)
        self.feed = Feed(self.chance)
        self.clock = START
        self.cluster = "cluster-1"
        self.crash = CrashAt()
        self.logs: dict[tuple[str, int], list[RawRecord]] = {}
        self.starts = {
            (topic, row.lane.partition): offset
            for row in self.stores.summaries.lanes()
            for topic, offset in row.offsets.items()
        }
        self.lanes: dict[LaneId, LaneState] = {}
        self.steps: dict[str, Step] = {}
        self.counts = dict.fromkeys(TOPICS_OF, PARTITIONS)
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is remembered but what the stores hold."""
        self.lanes.clear()
        ports = Ports(
            raw_log=self.stores.raw_log,
            summaries=self.stores.summaries,
            publisher=self,
            offload=_at_once,
            retry=Retry(5.0),
            end=end_process,
            crash_points=self.crash,
            now=lambda: self.clock,
        )
        self.steps = make_steps(self.settings, ports)

    def new_cluster(self, name: str) -> None:
        """The embedded broker was started anew: it has forgotten everything."""
        self.cluster = name
        self.logs.clear()
        self.starts.clear()
        self.restart()

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: tuple[tuple[str, bytes], ...] = (),
        skip: int | None = None,
    ) -> RawRecord:
        """Append a record after `skip` offsets (by chance 1); without a key it goes anywhere."""
        if partition is None:
            count = self.counts[AGENT_OF[topic]]
            partition = partition_of(key, count) if key else self.chance.randrange(count)
        log = self.logs.setdefault((topic, partition), [])
        if skip is None:
            skip = int(self.chance.random() < 0.03)  # a marker of a transaction leaves a hole
        start = self.starts.get((topic, partition), 0)
        offset = (log[-1].offset + 1 if log else start) + skip
        record = RawRecord(topic, partition, offset, round(self.clock * 1000), key, value, headers)
        log.append(record)
        return record

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            if row.topic in AGENT_OF:
                self.append(row.topic, row.value, key=row.key, partition=row.partition, headers=row.headers)

    async def tick(self, topic: str, partition: int) -> None:
        self.append(topic, b"", partition=partition, headers=((TICK_HEADER, b"1"),))

    def lane(self, lane: LaneId) -> LaneState:
        """Return the lane, taken over if it is not ours yet."""
        if lane not in self.lanes:
            summaries = self.stores.summaries
            row = summaries.acquire(lane, f"worker-{self.chance.random()}", self.cluster, self.counts[lane.agent])
            adopted = adopt(row, Cluster(self.cluster, ephemeral=True), self.counts[lane.agent])
            if adopted is not row:
                adopted = msgspec.structs.replace(adopted, version=row.version + 1)
                summaries.commit(StepCommit(adopted, row.version, None))
            entries = self.chance.choice([0, 1, 3, 1000])
            self.lanes[lane] = LaneState(adopted, entries, summaries.next_due(lane), {})
        return self.lanes[lane]

    def lane_row(self, agent: str, partition: int) -> LaneRow:
        """Return a lane as its row says."""
        row = self.stores.summaries.read_lane(LaneId(agent, partition))
        assert row is not None
        return row

    async def work(
        self, topic: str, partition: int, most: int = 30, quarantine: str = "", drop: Mapping[Timer, str] | None = None
    ) -> bool:
        """Apply up to `most` of a partition's next records in one step; false when there are none."""
        lane = LaneId(AGENT_OF[topic], partition)
        state = self.lane(lane)
        if state.row.stopped:
            self.stores.summaries.release(lane)
            del self.lanes[lane]
            state = self.lane(lane)
        next_offset = state.row.offsets.get(topic, 0)
        log = self.logs.get((topic, partition), [])
        waiting = [record for record in log if record.offset >= next_offset][:most]
        if not waiting:
            return False
        again = [record for record in log if record.offset < next_offset][-self.chance.choice([0, 0, 2]) or len(log) :]
        records = again + waiting
        batch = Batch(topic, partition, 0, records[0].offset, Records.of(records))
        await self.steps[lane.agent].run(state, batch, asyncio.Event(), quarantine, drop or {})
        return True

    async def random_step(self) -> None:
        """Apply some records somewhere; now and then the process crashes in the middle and starts again."""
        topic, partition = self.chance.choice(list(self.logs) or [("metrics", 0)])
        if self.chance.random() < 0.15:
            self.crash.point = self.chance.choice(list(Point))
        try:
            await self.work(topic, partition, self.chance.choice([1, 2, 5, 30]))
        except Crash:
            self.restart()
        self.crash.point = None

    async def drain(self) -> None:
        """Apply all that is left, and what comes of it."""
        worked = True
        while worked:
            worked = False
            for topic, partition in list(self.logs):
                while await self.work(topic, partition):
                    worked = True

    async def live(self, records: int) -> None:
        """Send `records` random records while the agents work, then let everything come to rest, for a few hours."""
        for _ in range(records):
            self.clock += self.chance.choice([0.0, 0.137, 3.001, 15.0])
            topic, key, value = self.feed.draw(self.clock)
            self.append(topic, value, key=key)
            if self.chance.random() < 0.4:
                await self.random_step()
            if self.chance.random() < 0.05:
                agent = self.chance.choice(list(TOPICS_OF))
                await self.tick(TOPICS_OF[agent][0], self.chance.randrange(self.counts[agent]))
        await self.drain()
        for _ in range(3):
            self.clock += 5_000.0
            for partition in range(PARTITIONS):
                await self.tick("metrics", partition)
            await self.drain()

    def repartition(self, agent: str, count: int) -> None:
        """Add partitions to an agent's topics, with everything applied."""
        route, summaries = self.steps[agent].route, self.stores.summaries
        plan = Repartition(agent, tuple(TOPICS_OF[agent]), route.model, self.counts[agent], count)
        held = take_over(summaries, [row for row in summaries.lanes() if row.lane.agent == agent])
        redistribute(
            summaries, plan, held, self.cluster, Who("ada@desk", self.clock, "a test"), lambda _what, _rows: None
        )
        self.counts[agent] = count
        self.restart()

    def close(self) -> None:
        """Give all connections back."""
        self.stores.close()
