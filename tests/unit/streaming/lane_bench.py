"""One lane at work, fed by hand."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.support.fakes.notes import Note, encode
from tests.support.fakes.process import Process
from tests.support.fakes.reader import RecordedFlow
from tests.support.fakes.services import services_of
from tests.support.fakes.world import World
from vigia.stores.base import LaneRow
from vigia.streaming.batches import Batch
from vigia.streaming.lane import Lane

HERE = 1
SERVICES = services_of(HERE)


class Bench:
    """A lane, what it asks the consumer for, and the offsets whose batches it has acknowledged."""

    def __init__(self, world: World, process: Process, owner: str = "worker-1") -> None:
        self.world = world
        self.process = process
        self.flow = RecordedFlow()
        self.acknowledged: list[tuple[str, int]] = []
        self.lane = Lane(
            world.lane(HERE),
            world.take_over(HERE, owner),
            world.step(process),
            process.ports,
            world.lane_limits,
            self.flow,
        )
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Let the lane work."""
        self.task = asyncio.ensure_future(self.lane.run())

    async def feed(self, topic: str, start: int, limit: int) -> Batch:
        """Hand over what a fetch from `start` gives."""
        batch = self.world.batch(topic, HERE, start, limit)
        assert batch is not None
        await self.lane.put(batch, self.acknowledging(batch))
        return batch

    def acknowledging(self, batch: Batch) -> Callable[[], None]:
        return lambda: self.acknowledged.append((batch.topic, batch.next_offset))

    @property
    def row(self) -> LaneRow:
        """The lane's row as it is stored."""
        return self.world.memory.lane_rows[self.lane.id]

    def steps(self) -> list[tuple[str, int, int]]:
        """Topic, first and last offset of each step."""
        return [(row.topic, row.first_offset, row.last_offset) for row in self.world.memory.step_rows[self.lane.id]]


def send(world: World, number: int = 1, topic: str = "notes", pause: float = 0.0, **fields: Any) -> None:
    """Send so many notes that differ in `amount`, for the first service of the lane."""
    for _ in range(number):
        service = SERVICES[0]
        note = Note(service=service, **{"amount": world.broker.end(topic, HERE) + 1, **fields})
        world.broker.append(topic, encode(note), at=world.began + pause, key=service.encode())
