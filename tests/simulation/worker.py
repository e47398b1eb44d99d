"""A worker: a supervisor that starts processes one after the other, each with lanes and a consumer of its own."""

import asyncio
from typing import TYPE_CHECKING

from tests.simulation.consumer import Consumer
from tests.simulation.process import Process
from vigia.streaming.lanes import Lanes, Worker
from vigia.streaming.ownership import BrokerFacts
from vigia.streaming.step import Step

if TYPE_CHECKING:
    from tests.simulation.world import World

TAKE_OVER_WITHIN = 8.0
DRAIN_WITHIN = 2.0


class Life:
    """One process of a worker, as a member of the group."""

    def __init__(self, world: "World", name: str) -> None:
        self._world = world
        self.process = Process(world, name, world.rng.choice([0.0, 0.0, -2.0, 2.0]))
        step = Step(world.route, world.intakes(), world.step_limits, self.process.ports)
        owner = Worker(name, world.cluster, world.cache_entries)
        self.lanes = Lanes({world.route.agent: step}, self.process.ports, world.lane_limits, owner)
        self.consumer = Consumer(world, self.process, self.lanes)
        self.generation = -1
        self._heard_of = -1

    @property
    def at_rest(self) -> bool:
        """Whether nothing that it has fetched can still become of anything."""
        return self.process.frozen is None and self.generation == -1 and not self.lanes._tasks

    def revoked(self) -> None:
        self.generation = -1
        self._heard_of = self._world.group.generation
        self.lanes.revoke()
        self.consumer.end()

    def assigned(self, generation: int, partitions: list[int]) -> None:
        if generation <= self._heard_of:
            return  # revoked before it could be told
        self.generation = generation
        if partitions:
            self.process.start(self._take_over(generation, partitions))

    async def _take_over(self, generation: int, partitions: list[int]) -> None:
        world = self._world
        try:
            async with asyncio.timeout(TAKE_OVER_WITHIN):
                facts = {}
                for topic in world.route.topics:
                    await asyncio.sleep(world.weather.delay())
                    for number in partitions:
                        place = (topic.name, number)
                        facts[place] = BrokerFacts(world.broker.starts[place], world.broker.end(*place))
                await asyncio.sleep(world.weather.delay())
                if self.generation != generation:
                    return
                counts = {topic.name: world.broker.partitions for topic in world.route.topics}
                positions = await self.lanes.acquire(facts, counts, generation, self.consumer)
        except TimeoutError:
            self.lanes.give_up("could not take the assigned lanes over in time")
        if positions and self.generation == generation:
            self.consumer.begin(positions, generation)

    async def stop(self) -> None:
        """SIGTERM."""
        await self.lanes.drain(DRAIN_WITHIN)
        self._world.group.leave(self)
        self.process.exit_code = 0
        self.process.kill()


class Supervisor:
    """Starts a worker's process again whenever it has ended."""

    def __init__(self, world: "World", name: str) -> None:
        self._world = world
        self._name = name
        self._lives = 0
        self.life: Life | None = None

    def start(self) -> None:
        """Start a process."""
        if self._world.over:
            return
        self._lives += 1
        life = Life(self._world, f"{self._name}.{self._lives}")
        self.life = life
        life.process.on_death(self._died)
        self._world.trace.add(life.process.name, "starts")
        life.process.later(self._world.weather.delay(), self._world.group.join, life)

    def _died(self) -> None:
        if self.life is not None:
            self._world.trace.add(self.life.process.name, "is gone")
            self._world.group.missing(self.life)
            self.life = None
        self._world.at(self._world.rng.uniform(0.1, 1.0), self.start)
