"""A world: everything that one seed decides, run until it has come to rest, or until something is wrong.

There is one source of chance. Whoever draws from it does so when the loop runs it, and the loop runs everything in the
same order each time, so the same seed gives the same world to the last line of its trace.
"""

import asyncio
import random
from collections.abc import Callable

from tests.simulation.checks import wrong_in
from tests.simulation.group import Group
from tests.simulation.load import Load, Sending
from tests.simulation.loop import SimulatedLoop, Stop, TooLongError
from tests.simulation.model import SimulatedModel
from tests.simulation.stores import SimulatedBroker, WatchedSummaries
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather
from tests.simulation.worker import Life, Supervisor
from tests.support.fakes.notes import MORE, NOTES, START, TOTALS
from tests.support.fakes.raw_log import MemoryRawLog
from tests.support.fakes.world import CALM, scope_of
from vigia.stores.base import LaneId, RawRecord
from vigia.streaming.batches import Batch
from vigia.streaming.compute import StepLimits
from vigia.streaming.failure import EXIT_BUG, EXIT_NEEDS_PERSON
from vigia.streaming.flood import FloodLimits
from vigia.streaming.intake import Intake
from vigia.streaming.lane import TICK_AGAIN_AFTER, LaneLimits
from vigia.streaming.ownership import Cluster
from vigia.streaming.route import Route

MOST_HANDLES = 300_000
REST_WITHIN = 90.0
"""Virtual seconds after the last fault and timer in which the world must be at rest."""
LONGEST_PAUSE = 4.0
"""Seconds for which a process is frozen, at most."""
FUTURE_LIMIT = 300.0
DATABASE_CALLS = {"acquire", "read_lane", "load", "due", "next_due", "rows", "commit", "outbox", "delete_outbox"}


class World:
    """Stores, broker, group and workers; `violations` is what was wrong."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = rng = random.Random(seed)
        self.loop = SimulatedLoop(MOST_HANDLES)
        self.trace = Trace(self.loop.time)
        self.violations: list[str] = []
        self.over = False
        self._closed = False
        self.flights = 0
        self.topics = [NOTES, MORE] if rng.random() < 0.6 else [NOTES]
        self.route = Route("notes", tuple(self.topics), SimulatedModel(self), rng.random() < 0.3, (TOTALS,))
        self.cluster = Cluster("cluster-1", ephemeral=False)
        self.step_limits = StepLimits(FloodLimits(1.0, 1_000_000, 3) if rng.random() < 0.2 else CALM, 86_400.0)
        self.lane_limits = LaneLimits(
            step_max_records=rng.choice([2, 5, 20]),
            step_max_bytes=1_000_000,
            queue_batches=rng.choice([1, 3]),
            tick_after=1.0,
            attempts_before_quarantine=3,
            lost_grace=3.0,
        )
        self.cache_entries = rng.choice([1, 4, 100])
        self.fetch_sizes = rng.choice([[1], [1, 2, 5], [20]])
        self.span = rng.choice([2.0, 5.0])
        self.weather = Weather(rng)
        self.raw_log = MemoryRawLog()
        self.summaries = WatchedSummaries(self)
        self.broker = SimulatedBroker(self, [topic.name for topic in self.topics], rng.randint(2, 4))
        self.group = Group(self, rng)
        self.load = Load(rng, [topic.name for topic in self.topics], self.broker.partitions, self.span)
        self._workers = [Supervisor(self, name) for name in ("ada", "bob", "cyd")[: rng.randint(2, 3)]]
        self._down: dict[str, float] = {}
        self.sent: list[RawRecord] = []

    # ------------------------------------------------------------------------------------------------ for its parts

    def now(self) -> float:
        """The broker's clock, in epoch seconds."""
        return START + self.loop.time()

    def at(self, delay: float, callback: Callable[..., None], *arguments: object) -> None:
        """Let the world do something after so many seconds."""
        self.loop.call_later(delay, callback, *arguments, context=self.loop.world)

    def intakes(self) -> dict[str, Intake]:
        """New intakes, since they remember keys."""
        return {topic.name: Intake(topic, scope_of, FUTURE_LIMIT) for topic in self.topics}

    def violated(self, what: str) -> None:
        """Something must not be as it is: the world ends here."""
        if self._closed:
            return
        self.trace.add("CHECK", what)
        self.violations.append(what)
        self.over = True
        self.loop.stop()

    def ended(self, name: str, code: int, message: str) -> None:
        """A process has ended itself; it may give up, and may fail on poison, and nothing else."""
        if code == EXIT_NEEDS_PERSON or (code == EXIT_BUG and "BoomError" not in message):
            self.violated(f"a process ended with {code}: {message}")
        for lane in sorted(self.summaries.committed_last):
            if message.startswith(f"lane {lane} is another") and self.summaries.lane_rows[lane].owner == name:
                self.violated(f"{name} gave {lane} up for lost, and its step was the last one there")

    def fails_on(self, event_id: str) -> bool:
        """Whether the model fails on this note, once more."""
        left = self.load.flaky.get(event_id, 0)
        self.load.flaky[event_id] = left - 1
        return left > 0

    def acknowledged(self, batch: Batch) -> None:
        """A batch is done with: it must have been committed."""
        row = self.summaries.lane_rows[LaneId("notes", batch.partition)]
        if row.offsets.get(batch.topic, 0) < batch.next_offset:
            self.violated(f"{batch.topic}/{batch.partition} was acknowledged up to {batch.next_offset}, not committed")
        self.broker.committed[batch.topic, batch.partition] = batch.next_offset

    def elected(self) -> bool:
        """Hold an election of leaders that have not seen what nobody has kept yet; false when somebody still might.

        What was kept or applied and is lost by the broker then cannot be helped, and is no business of the stream.
        """
        lives = [worker.life for worker in self._workers if worker.life is not None]
        if self.flights or not all(life.at_rest for life in lives):
            return False
        for topic, number in sorted(self.broker.logs):
            row = self.summaries.lane_rows.get(LaneId("notes", number))
            kept = [place[3] + 1 for place in self.raw_log.records if place[1:3] == (topic, number)]
            start = max([row.offsets.get(topic, 0) if row else 0, *kept])
            anew = self.broker.lose_tail(topic, number, start)
            self.sent = [
                anew.get(one.offset, one) if (one.topic, one.partition) == (topic, number) else one for one in self.sent
            ]
            if anew:
                self.trace.add("broker", f"the tail of {topic}/{number} from {start} on is another one")
        return True

    def is_down(self, call: str) -> bool:
        """Whether the store or broker that would take this call is down."""
        where = "database" if call in DATABASE_CALLS else "raw log" if call == "append" else "broker"
        return self._down.get(where, 0.0) > self.loop.time()

    # ------------------------------------------------------------------------------------------------------ its time

    def run(self) -> None:
        """Run until the world is at rest or something is wrong."""
        before = random.getstate()
        random.seed(self.seed)
        try:
            self.loop.create_task(self._live(), context=self.loop.world.copy())
            self.loop.run()
            if not self.over:
                self.violated("nothing will ever happen again")
            if not self.violations:
                for what in wrong_in(self):
                    self.violated(what)
        except TooLongError as error:
            self.violated(str(error))
        finally:
            self.over = self._closed = True
            self.trace.close()
            self.loop.bury()
            random.setstate(before)

    async def _live(self) -> None:
        try:
            await self._act()
        except Stop:
            raise
        except Exception as error:  # noqa: BLE001 - a bug of the simulation
            self.violated(f"the simulation failed: {error!r}")
        self.over = True
        self.loop.stop()

    async def _act(self) -> None:
        for worker in self._workers:
            self.at(self.rng.uniform(0, 0.3), worker.start)
        for sending in self.load.sendings():
            self.at(sending.at, self._send, sending)
        for strike in self.weather.strikes:
            for _ in range(self.rng.randint(1, 3)):
                self.at(self.rng.uniform(0, self.span), self._strike, strike)
        self._person()
        await asyncio.sleep(self.span)
        self.weather.calm()
        self._down.clear()
        self.trace.add("world", "all faults are over")
        await self._rest()
        probes = [self.load.probe(number) for number in range(self.broker.partitions)]
        for probe in probes:
            self._send(probe)
        await self._rest()
        if self.seed % 3 == 0:
            # not in all worlds, since it takes longer than what they are about
            await self._stay_at_rest()
        self.trace.add("world", "is at rest")

    async def _stay_at_rest(self) -> None:
        # one that wakes up only now may tick once, for a timer that another worker has fired
        await asyncio.sleep(LONGEST_PAUSE + 1.0)
        ticks = len(self.broker.ticks)
        await asyncio.sleep(TICK_AGAIN_AFTER + 1.5)
        if len(self.broker.ticks) > ticks:
            self.violated("a lane ticks, and no timer is left")

    def _send(self, sending: Sending) -> None:
        record = self.broker.append(
            sending.topic,
            sending.value,
            at=self.now(),
            key=sending.key,
            partition=sending.partition,
            headers=sending.headers,
            skip=sending.skip,
        )
        self.sent.append(record)
        self.trace.add("load", f"{record.topic}/{record.partition}/{record.offset}", record.key, record.value)

    def _person(self) -> None:
        """Looks now and then whether a lane has stopped, and releases it."""
        for lane, row in sorted(self.summaries.lane_rows.items()):
            if row.stopped and self.rng.random() < 0.7:
                self.trace.add("person", f"releases {lane.partition}: {row.stopped}")
                self.summaries.release(lane)
        self.at(0.7, self._person)

    def _strike(self, strike: str) -> None:
        lives = [worker.life for worker in self._workers if worker.life is not None]
        if strike == "election":
            self.trace.fault("group", strike)
            self.group.elect()
        elif strike == "outage":
            where, seconds = self.rng.choice(["database", "raw log", "broker"]), self.rng.uniform(0.1, 6.0)
            self._down[where] = self.loop.time() + seconds
            self.trace.fault("world", "outage", where, f"{seconds:.2f} s")
        elif strike == "move":
            self.trace.fault("group", "move")
            self.group.move()
        elif strike in {"leader", "push"}:
            self._strike_partition(strike, self.rng.randrange(self.broker.partitions))
        elif lives:
            self._strike_one(strike, self.rng.choice(lives))

    def _strike_partition(self, strike: str, number: int) -> None:
        self.trace.fault("broker", strike, number)
        if strike == "leader":
            self.broker.skews[number] = self.rng.uniform(-1.0, 1.0)
            return
        for topic in self.topics:
            self.broker.committed[topic.name, number] = self.broker.end(topic.name, number) + self.rng.randint(0, 3)

    def _strike_one(self, strike: str, life: Life) -> None:
        process = life.process
        if process.frozen is not None:
            return
        self.trace.fault(process.name, strike)
        match strike:
            case "kill":
                process.kill()
            case "stop":
                process.start(life.stop())
            case "split":
                self.group.split(life)
            case "pause":
                process.freeze()
                self.group.missing(life)
                self.at(self.rng.uniform(0.05, LONGEST_PAUSE), self._wake, life)

    def _wake(self, life: Life) -> None:
        if not life.process.dead:
            self.trace.add(life.process.name, "wakes up")
            self.loop.thaw(life.process)

    async def _rest(self) -> None:
        """Wait until everything that was sent is applied and published, and no timer is left."""
        patience = self.loop.time() + REST_WITHIN
        while (restless := self._restless()) is not None:
            if self.loop.time() > patience:
                self.violated(f"does not come to rest: {restless}")
                return
            await asyncio.sleep(0.25)

    def _restless(self) -> str | None:
        store = self.summaries
        for (topic, number), log in self.broker.logs.items():
            row = store.lane_rows.get(LaneId("notes", number))
            if log and (row is None or row.offsets.get(topic, 0) < self.broker.end(topic, number)):
                return f"{topic}/{number} is applied up to {row and row.offsets}, of {self.broker.end(topic, number)}"
        for lane, row in store.lane_rows.items():
            if row.stopped or store.waiting[lane] or store.timers[lane]:
                return f"lane {lane}: {row.stopped} {store.waiting[lane]} {store.timers[lane]}"
        return f"{self.flights} requests are under way" if self.flights else None
