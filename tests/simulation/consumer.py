"""The consumer of a worker: fetches ahead of what is applied, from where it was told to, as the transport does.

Its batches reach the lanes through one queue, as through a Faust agent, so a lane that is full holds the others up. A
seek overtakes fetches; what they bring is dropped and fetched again, or in some worlds handed over nevertheless.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tests.simulation.process import Process
from vigia.stores.base import LaneId
from vigia.stores.records import Records
from vigia.streaming.batches import Batch
from vigia.streaming.failure import LaneLostError
from vigia.streaming.lanes import Lanes

if TYPE_CHECKING:
    from tests.simulation.world import World

READ_AHEAD = 3
"""Batches that wait for their lanes before no more are fetched."""

TopicPartition = tuple[str, int]


class Consumer:
    """Implements `vigia.streaming.lane.Flow`."""

    def __init__(self, world: "World", process: Process, lanes: Lanes) -> None:
        self._world = world
        self._process = process
        self._lanes = lanes
        self._positions: dict[TopicPartition, int] = {}
        self._fetching: set[TopicPartition] = set()
        self._paused: set[TopicPartition] = set()
        self._inbox: deque[Batch] = deque()
        self._filled = asyncio.Event()
        self._seeks = 0
        self._lingering: list[Batch] = []
        self.generation = -1
        world.broker.readers.append(self.appended)
        process.on_death(lambda: world.broker.readers.remove(self.appended))
        process.start(self._hand_over())

    def begin(self, positions: Mapping[TopicPartition, int], generation: int) -> None:
        """Read these partitions."""
        self._positions = dict(positions)
        self._seeks += 1
        self.generation = generation
        for batch in self._lingering:
            self._process.later(self._world.weather.delay(), self._deliver, batch)
        self._lingering.clear()
        for place in self._positions:
            self._poll(place)

    def end(self) -> None:
        """All partitions are revoked."""
        if self._world.weather.lingering:
            self._linger()
        self._positions = {}
        self._fetching.clear()
        self._paused.clear()
        self._seeks += 1
        # what was fetched is gone, unless it is under way to its lane
        if self._world.rng.random() < 0.7:
            self._inbox.clear()

    def appended(self, topic: str, partition: int) -> None:
        """The broker has something for us, perhaps."""
        if (topic, partition) in self._positions and (topic, partition) not in self._fetching:
            self._poll((topic, partition))

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        place = (topic, partition)
        self._seeks += 1
        await asyncio.sleep(self._world.weather.delay())
        if place not in self._positions:
            raise LaneLostError(f"{topic}/{partition} is no longer assigned here")
        self._positions[place] = offset
        self._seeks += 1
        self._poll_all()

    async def log_end(self, topic: str, partition: int) -> int:
        await asyncio.sleep(self._world.weather.delay())
        return self._world.broker.end(topic, partition)

    def pause(self, topic: str, partition: int) -> None:
        self._paused.add((topic, partition))

    def resume(self, topic: str, partition: int) -> None:
        self._paused.discard((topic, partition))
        self._poll_all()

    def _poll_all(self) -> None:
        for place in self._positions:
            self._poll(place)

    def _poll(self, place: TopicPartition) -> None:
        position = self._positions.get(place)
        if position is None or place in self._paused or place in self._fetching or len(self._inbox) >= READ_AHEAD:
            return
        if self._world.broker.end(*place) <= position:
            return
        self._fetching.add(place)
        self._process.later(self._world.weather.delay(), self._arrive, place, position, self._seeks, self.generation)

    def _arrive(self, place: TopicPartition, start: int, seeks: int, generation: int) -> None:
        """A fetch has been answered."""
        world = self._world
        if seeks != self._seeks and not world.weather.overtaking:
            self._fetching.discard(place)
            self._poll(place)
            return
        records = world.broker.fetch(*place, start, world.rng.choice(world.fetch_sizes))
        if records and place not in self._paused:
            batch = Batch(*place, generation, start, Records.of(records))
            if place in self._positions and generation == self.generation:
                self._positions[place] = batch.next_offset
            more_to_come = world.broker.end(*place) > batch.next_offset
            if more_to_come and world.weather.loses():
                world.trace.fault(self._process.name, "batch lost", *place, f"{start}-{batch.next_offset - 1}")
            else:
                self._deliver(batch)
        self._fetching.discard(place)
        self._poll(place)

    def _linger(self) -> None:
        """Let a fetch of each partition, from where its lane is, be answered after the group has given them anew."""
        world = self._world
        for topic, partition in self._positions:
            row = world.summaries.lane_rows.get(LaneId("notes", partition))
            start = row.offsets.get(topic, 0) if row else 0
            records = world.broker.fetch(topic, partition, start, world.rng.choice(world.fetch_sizes))
            if records:
                self._lingering.append(Batch(topic, partition, self.generation, start, Records.of(records)))

    def _deliver(self, batch: Batch) -> None:
        self._inbox.append(batch)
        self._filled.set()

    async def _hand_over(self) -> None:
        while True:
            while not self._inbox:
                self._filled.clear()
                await self._filled.wait()
            batch = self._inbox.popleft()
            await self._lanes.take(batch, self._acknowledging(batch))
            self._poll_all()

    def _acknowledging(self, batch: Batch) -> Callable[[], None]:
        def acknowledge() -> None:
            self._world.acknowledged(batch)

        return acknowledge
