"""The consumer side of a worker: reads assigned partitions from the fake broker and hands batches to its lanes.

As Faust does, it reads ahead of what is applied, and forgets everything when partitions are assigned anew.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle

from tests.support.fakes.world import PARTITIONS, World
from vigia.streaming.lanes import Lanes
from vigia.streaming.ownership import BrokerFacts


class RecordedFlow:
    """Implements `vigia.streaming.lane.Flow`: writes down what it is asked for, as (what, topic, partition, ...)."""

    def __init__(self, ends: Mapping[tuple[str, int], int] | None = None) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._ends = ends or {}

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        self.asked.append(("seek", topic, partition, offset))

    async def log_end(self, topic: str, partition: int) -> int:
        self.asked.append(("log_end", topic, partition))
        return self._ends.get((topic, partition), 0)

    def pause(self, topic: str, partition: int) -> None:
        self.asked.append(("pause", topic, partition))

    def resume(self, topic: str, partition: int) -> None:
        self.asked.append(("resume", topic, partition))


class Reader:
    """Implements `vigia.streaming.lane.Flow`. `sizes` are the numbers of records of successive fetches."""

    def __init__(self, world: World, lanes: Lanes, sizes: Iterable[int] = (10,)) -> None:
        self._world = world
        self._lanes = lanes
        self._sizes = cycle(sizes)
        self._paused: set[tuple[str, int]] = set()
        self._generation = 0
        self.positions: dict[tuple[str, int], int] = {}
        self.acknowledged: dict[tuple[str, int], int] = {}
        self.seeks: list[tuple[str, int, int]] = []

    async def assign(self, partitions: Iterable[int], generation: int) -> None:
        """The group gives this worker these lanes."""
        broker, names = self._world.broker, [topic.name for topic in self._world.route.topics]
        mine = [(name, number) for name in names for number in partitions]
        facts = {
            (name, number): BrokerFacts(broker.starts[name, number], broker.end(name, number)) for name, number in mine
        }
        self.positions = {}
        self._paused = set()
        self._generation = generation
        self.positions = await self._lanes.acquire(facts, dict.fromkeys(names, PARTITIONS), generation, self)

    async def read_once(self) -> bool:
        """Fetch once from each partition, and hand over what came; false when nothing did."""
        came = False
        for (topic, number), offset in sorted(self.positions.items()):
            if (topic, number) in self._paused:
                continue
            batch = self._world.batch(topic, number, offset, next(self._sizes), self._generation)
            if batch is None or self.positions[topic, number] != offset:
                continue
            came = True
            self.positions[topic, number] = batch.next_offset
            await self._lanes.take(batch, self._acknowledging(topic, number, batch.next_offset))
        return came

    async def read_for(self, seconds: float) -> None:
        """Read for so long, in virtual time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await self.read_once()
            await asyncio.sleep(0.01)

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        self.seeks.append((topic, partition, offset))
        self.positions[topic, partition] = offset

    async def log_end(self, topic: str, partition: int) -> int:
        return self._world.broker.end(topic, partition)

    def pause(self, topic: str, partition: int) -> None:
        self._paused.add((topic, partition))

    def resume(self, topic: str, partition: int) -> None:
        self._paused.discard((topic, partition))

    def _acknowledging(self, topic: str, partition: int, next_offset: int) -> Callable[[], None]:
        def acknowledge() -> None:
            self.acknowledged[topic, partition] = next_offset

        return acknowledge
