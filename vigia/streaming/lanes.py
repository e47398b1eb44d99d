"""All lanes of this worker: taken over when the group assigns their partitions, let go when it revokes them.

Taking over raises the lane's version in the database, so whatever an earlier owner still tries to commit conflicts. A
worker that has to refuse one of its lanes finds out by reading, and takes none: it must not disturb the owners.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

import msgspec

from vigia.stores.base import LaneId, LaneRow, StepCommit
from vigia.stores.errors import Conflict, Transient, Unusable
from vigia.streaming.batches import Batch
from vigia.streaming.failure import EXIT_NEEDS_PERSON, EXIT_TRANSIENT, NeedsPersonError
from vigia.streaming.glance import Glance
from vigia.streaming.lane import Flow, Lane, LaneLimits
from vigia.streaming.lane_state import LaneState
from vigia.streaming.ownership import BrokerFacts, Cluster, adopt, check_aligned, check_topic, position
from vigia.streaming.ports import Ports
from vigia.streaming.route import Route
from vigia.streaming.step import Step

T = TypeVar("T")
TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Worker:
    """Who we are: `owner` is unique to this process; `cache_entries` bounds its cached states over all lanes."""

    owner: str
    cluster: Cluster
    cache_entries: int


class Lanes:
    """The lanes that this worker owns at present."""

    def __init__(self, steps: Mapping[str, Step], ports: Ports, limits: LaneLimits, worker: Worker) -> None:
        self._steps = steps
        self._ports = ports
        self._limits = limits
        self._worker = worker
        self._agent_of = {topic.name: step.route.agent for step in steps.values() for topic in step.route.topics}
        self._lanes: dict[LaneId, Lane] = {}
        # revoked lanes stay here until their step has ended: the loop itself keeps no reference to a task
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = -1
        self._revocations = 0

    @property
    def routes(self) -> list[Route]:
        """The routes served here."""
        return [step.route for step in self._steps.values()]

    def glance(self) -> list[Glance]:
        """Return how each lane is now; may be called from any thread."""
        return [lane.glance() for lane in list(self._lanes.values())]

    async def acquire(
        self, facts: Mapping[TopicPartition, BrokerFacts], counts: Mapping[str, int], generation: int, flow: Flow
    ) -> dict[TopicPartition, int]:
        """Take over the lanes of all assigned partitions; returns from which offset to read each partition.

        `counts` is the number of partitions of each topic. Nothing is returned when the lanes were revoked meanwhile.
        Ends the process when the stores stay away or do not fit.
        """
        self.revoke()
        self._generation = generation
        try:
            return await self._acquire(facts, counts, flow)
        except (NeedsPersonError, Unusable) as error:
            self._ports.end(EXIT_NEEDS_PERSON, str(error))
        except Transient as error:
            self._ports.end(EXIT_TRANSIENT, f"could not take lanes over: {error}")

    async def _acquire(
        self, facts: Mapping[TopicPartition, BrokerFacts], counts: Mapping[str, int], flow: Flow
    ) -> dict[TopicPartition, int]:
        revocations = self._revocations
        wanted = self._wanted(facts, counts)
        known = await self._known(wanted)
        new_ids = {}
        for lane in wanted:
            new_ids[lane] = await self._new_topic_ids(lane, facts)
            if lane in known:
                await self._starts(known[lane], facts, flow)
        positions: dict[TopicPartition, int] = {}
        share = max(1, self._worker.cache_entries // max(1, len(facts)))
        for lane, count in wanted.items():
            if self._revocations != revocations:
                return {}
            row = await self._take_over(lane, count)
            starts = await self._starts(row, facts, flow)
            row = await self._begin(row, starts)
            if new_ids[lane]:
                await self._retry("keep topic ids", self._ports.summaries.keep_topic_ids, lane, new_ids[lane])
            positions.update(((name, lane.partition), offset) for name, offset in starts.items())
            next_due = await self._retry("look for timers", self._ports.summaries.next_due, lane)
            if self._revocations != revocations:
                return {}  # a lane that started now would belong to nobody
            self._start(lane, LaneState(row, share, next_due, starts), flow)
        return positions

    def _wanted(self, facts: Mapping[TopicPartition, BrokerFacts], counts: Mapping[str, int]) -> dict[LaneId, int]:
        """Return the lanes of the assigned partitions, and of how many each is one."""
        by_agent: dict[str, dict[str, set[int]]] = defaultdict(dict)
        for step in self._steps.values():
            for topic in step.route.topics:
                by_agent[step.route.agent][topic.name] = {number for name, number in facts if name == topic.name}
        wanted: dict[LaneId, int] = {}
        for agent, partitions in by_agent.items():
            check_aligned(partitions)
            if not any(partitions.values()):
                continue  # the agent's lanes are all with other workers
            count = self._partition_count(agent, counts)
            wanted.update((LaneId(agent, number), count) for number in sorted(next(iter(partitions.values()))))
        return wanted

    async def _known(self, wanted: Mapping[LaneId, int]) -> dict[LaneId, LaneRow]:
        """Return all lanes that the agents of the wanted ones have had, as they shall be here.

        The others of an agent count, too: a worker that has but new lanes must notice that partitions were added, and
        that the states of their keys lie elsewhere.
        """
        counts = {lane.agent: count for lane, count in wanted.items()}
        rows: list[LaneRow] = await self._retry("read lanes", self._ports.summaries.lanes)
        return {
            row.lane: adopt(row, self._worker.cluster, counts[row.lane.agent])
            for row in rows
            if row.lane.agent in counts
        }

    async def _starts(self, row: LaneRow, facts: Mapping[TopicPartition, BrokerFacts], flow: Flow) -> dict[str, int]:
        """Return from which offset the lane must read each of its topics."""
        starts = {}
        for topic in self._steps[row.lane.agent].route.topics:
            name, number = topic.name, row.lane.partition
            known = facts[name, number]
            if row.offsets.get(name, 0) > known.log_end:
                # an earlier owner, still at work, may have applied what came after the broker was asked
                known = replace(known, log_end=await flow.log_end(name, number))
            starts[name] = position(row, name, known)
        return starts

    async def _new_topic_ids(self, lane: LaneId, facts: Mapping[TopicPartition, BrokerFacts]) -> dict[str, str]:
        """Check that the topics are those that the lane has read, and return the ids of those that are new to it."""
        kept = await self._retry("read topic ids", self._ports.summaries.topic_ids, lane)
        names = [topic.name for topic in self._steps[lane.agent].route.topics]
        for name in names:
            check_topic(lane, name, kept.get(name, ""), facts[name, lane.partition])
        found = {name: facts[name, lane.partition].topic_id for name in names}
        return {name: topic_id for name, topic_id in found.items() if topic_id and name not in kept}

    async def _take_over(self, lane: LaneId, partition_count: int) -> LaneRow:
        summaries, worker = self._ports.summaries, self._worker
        while True:
            row: LaneRow = await self._retry(
                "take a lane over", summaries.acquire, lane, worker.owner, worker.cluster.cluster_id, partition_count
            )
            adopted = adopt(row, worker.cluster, partition_count)
            if adopted is row:
                return row
            raised = StepCommit(msgspec.structs.replace(adopted, version=row.version + 1), row.version, None)
            try:
                await self._retry("adopt a new cluster", summaries.commit, raised)
            except Conflict:
                continue  # adopted already: by another worker, or by us and the answer was lost
            return raised.lane

    async def _begin(self, row: LaneRow, starts: Mapping[str, int]) -> LaneRow:
        """Keep where the lane begins to read topics that are new to it: what expires before their first step is then
        noticed, and not skipped at the next take-over.
        """
        if starts.keys() <= row.offsets.keys():
            return row
        begun = msgspec.structs.replace(row, version=row.version + 1, offsets={**starts, **row.offsets})
        summaries = self._ports.summaries
        try:
            await self._retry("keep where a lane begins", summaries.commit, StepCommit(begun, row.version, None))
        except Conflict:
            now = await self._retry("read a lane", summaries.read_lane, row.lane)
            if now is None or (now.version, now.owner) != (begun.version, begun.owner):
                return row  # another worker's already: our first step will conflict
        return begun

    def _partition_count(self, agent: str, counts: Mapping[str, int]) -> int:
        topics = self._steps[agent].route.topics
        found = {topic.name: counts[topic.name] for topic in topics}
        if len(set(found.values())) > 1:
            listing = ", ".join(f"{name}: {count}" for name, count in sorted(found.items()))
            raise NeedsPersonError(
                f"the topics of agent {agent} have different numbers of partitions ({listing}); they must be equal, "
                "since records of the same key meet in one lane."
            )
        return next(iter(found.values()))

    def _start(self, lane_id: LaneId, state: LaneState, flow: Flow) -> None:
        lane = Lane(lane_id, state, self._steps[lane_id.agent], self._ports, self._limits, flow)
        self._lanes[lane_id] = lane
        task = asyncio.get_running_loop().create_task(lane.run(), name=f"lane {lane_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def give_up(self, why: str) -> NoReturn:
        """End the process, since it cannot take its lanes over."""
        self._ports.end(EXIT_TRANSIENT, why)

    def need_person(self, why: str) -> NoReturn:
        """End the process, since what it reads stays unreadable until a person acts."""
        self._ports.end(EXIT_NEEDS_PERSON, why)

    def revoke(self) -> None:
        """Let every lane go; steps under way are cut short and commit nothing that a new owner does not know of."""
        self._revocations += 1
        for lane in self._lanes.values():
            lane.revoke()
        self._lanes.clear()

    async def take(self, batch: Batch, ack: Callable[[], object]) -> None:
        """Hand a batch to its lane; one of an older generation, or for a lane that is not ours, is dropped
        unacknowledged.
        """
        lane = self._lanes.get(LaneId(self._agent_of[batch.topic], batch.partition))
        if lane is not None and batch.generation == self._generation:
            await lane.put(batch, ack)

    async def drain(self, within: float) -> None:
        """Let the steps under way finish, for at most `within` seconds, then let every lane go."""
        self.revoke()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    async def _retry(self, what: str, function: Callable[..., T], *arguments: object) -> T:
        return await self._ports.retry.run(what, lambda: self._ports.offload(function, *arguments))
