"""What outlives a worker process: the stores and the broker; and processes, steps and lanes made for them."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.fakes.broker import MemoryBroker
from tests.support.fakes.notes import START, notes_route
from tests.support.fakes.process import Process
from tests.support.fakes.raw_log import MemoryRawLog
from tests.support.fakes.summaries import MemorySummaries
from vigia.stores.base import LaneId, RawLog, Summaries
from vigia.stores.records import Records
from vigia.streaming.batches import Batch
from vigia.streaming.compute import StepLimits
from vigia.streaming.flood import FloodLimits
from vigia.streaming.forms import Forms
from vigia.streaming.intake import Intake
from vigia.streaming.lane import LaneLimits
from vigia.streaming.lane_state import LaneState
from vigia.streaming.lanes import Lanes, Worker
from vigia.streaming.ownership import Cluster
from vigia.streaming.route import Route
from vigia.streaming.step import Step

CLUSTER = "cluster-1"
SOLID = Cluster(CLUSTER, ephemeral=False)
PARTITIONS = 4

CALM = FloodLimits(ratio=1.0, minimum=1_000_000, run=1_000_000)
"""No flood stops a lane."""

LANE_LIMITS = LaneLimits(
    step_max_records=100,
    step_max_bytes=1_000_000,
    queue_batches=4,
    tick_after=1.0,
    attempts_before_quarantine=3,
    lost_grace=60.0,
)


def scope_of(service: str, at: float) -> str:
    """A catalog: each service's team is named after it."""
    return f"team of {service}" if service else "unassigned"


@dataclass
class World:
    """Stores, broker and settings; a test replaces what it is about."""

    route: Route = field(default_factory=notes_route)
    flood: FloodLimits = CALM
    lane_limits: LaneLimits = LANE_LIMITS
    cache_entries: int = 100
    cluster: Cluster = SOLID
    summaries: Summaries = field(default_factory=MemorySummaries)
    raw_log: RawLog = field(default_factory=MemoryRawLog)
    began: float = START
    forms: Forms = field(default_factory=Forms)

    def __post_init__(self) -> None:
        self.broker = MemoryBroker([topic.name for topic in self.route.topics], PARTITIONS)

    @property
    def memory(self) -> MemorySummaries:
        """The summaries, where they are the fake."""
        assert isinstance(self.summaries, MemorySummaries)
        return self.summaries

    @property
    def kept(self) -> MemoryRawLog:
        """The raw log, where it is the fake."""
        assert isinstance(self.raw_log, MemoryRawLog)
        return self.raw_log

    def process(self, **options: Any) -> Process:
        """A new worker process."""
        return Process(self.raw_log, self.summaries, self.broker, began=self.began, **options)

    def step(self, process: Process) -> Step:
        """The step of that process."""
        intakes = {topic.name: Intake(topic, scope_of, 300.0) for topic in self.route.topics}
        return Step(self.route, intakes, StepLimits(self.flood, 86_400.0, self.forms), process.ports)

    def lanes(self, process: Process, owner: str = "worker-1") -> Lanes:
        """The lanes of that process."""
        worker = Worker(owner, self.cluster, self.cache_entries)
        return Lanes({self.route.agent: self.step(process)}, process.ports, self.lane_limits, worker)

    def take_over(self, partition: int, owner: str = "worker-1") -> LaneState:
        """Take a lane over at once, without a process."""
        lane = self.lane(partition)
        row = self.summaries.acquire(lane, owner, self.cluster.cluster_id, PARTITIONS)
        starts = {topic.name: self.broker.starts[topic.name, partition] for topic in self.route.topics}
        return LaneState(row, self.cache_entries, self.summaries.next_due(lane), starts)

    def lane(self, partition: int) -> LaneId:
        """The lane of a partition."""
        return LaneId(self.route.agent, partition)

    def batch(self, topic: str, partition: int, offset: int, limit: int, generation: int = 1) -> Batch | None:
        """What a fetch of up to `limit` records from `offset` gives."""
        records = self.broker.fetch(topic, partition, offset, limit)
        return Batch(topic, partition, generation, offset, Records.of(records)) if records else None
