"""Who is stuck and who only waits; and that it says where a stuck lane is."""

import asyncio
import threading
from dataclasses import replace

import msgspec
import pytest

from tests.support.fakes.clock import run
from tests.support.fakes.process import Ended
from tests.support.fakes.world import LANE_LIMITS
from tests.support.fakes.world import World as Stores
from tests.support.glances import LANE, ROW, glance
from tests.unit.streaming.lane_bench import HERE, Bench, send
from vigia.app.store_threads import StoreThreads
from vigia.app.vitals import Unread
from vigia.app.watchdog import LOOK_EVERY, Watchdog, awaits_of, threads_at
from vigia.stores.base import LaneId
from vigia.streaming.failure import EXIT_TRANSIENT

STUCK_AFTER = 10.0
KNOWN_FOR = 3.0


def end(code, message):
    raise Ended(code, message)


class World:
    """A lane and a clock, looked at each second; `queued` is whether calls wait for a thread."""

    def __init__(self, **changes):
        self.now = 1000.0
        self.lanes = [glance(**changes)]
        self.unread: frozenset[LaneId] = frozenset()
        self.asked_at = self.now
        self.broker_answers = True
        self.queued = False
        self.dog = Watchdog(
            lambda: self.lanes,
            lambda: Unread(self.asked_at, self.unread),
            lambda: self.queued,
            STUCK_AFTER,
            KNOWN_FOR,
            end,
            lambda: self.now,
        )

    def pass_time(self, seconds):
        for _ in range(int(seconds / LOOK_EVERY)):
            self.now += LOOK_EVERY
            if self.broker_answers:
                self.asked_at = self.now
            self.dog.look()

    def apply(self):
        self.lanes = [
            glance(row=msgspec.structs.replace(each.row, version=each.row.version + 1), holds=each.holds)
            for each in self.lanes
        ]


def test_a_lane_that_holds_records_and_applies_none_ends_the_worker_so_that_it_is_started_again():
    world = World(holds=True)
    world.pass_time(STUCK_AFTER)
    with pytest.raises(Ended, match=r"lane metrics/1 is stuck after step 4") as ended:
        world.pass_time(3)
    assert ended.value.code == EXIT_TRANSIENT


def test_records_that_are_never_fetched_count_too():
    world = World()
    world.unread = frozenset([LANE])
    with pytest.raises(Ended, match="its records were not fetched"):
        world.pass_time(STUCK_AFTER + 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"holds": False},
        {"holds": True, "lost": True},
        {"holds": True, "row": msgspec.structs.replace(ROW, stopped="a flood")},
    ],
    ids=["nothing to do", "lost", "stopped by a flood"],
)
def test_who_has_nothing_to_do_or_waits_for_a_person_is_not_stuck(changes):
    World(**changes).pass_time(10 * STUCK_AFTER)


def test_a_lane_that_goes_on_however_slowly_is_not_stuck():
    world = World(holds=True)
    for _ in range(5):
        world.pass_time(STUCK_AFTER - 1)
        world.apply()


def test_a_lane_that_brings_attempts_to_an_end_is_not_stuck_though_it_commits_nothing():
    world = World(holds=True)
    for moves in range(1, 5):
        world.pass_time(STUCK_AFTER - 1)
        world.lanes = [glance(holds=True, moves=moves)]
    with pytest.raises(Ended):
        world.pass_time(STUCK_AFTER + 3)


def test_a_long_search_for_what_the_model_fails_on_is_not_taken_for_stuck():
    async def scenario() -> float:
        clock = asyncio.get_running_loop().time
        dog = Watchdog(
            lambda: [bench.lane.glance()], lambda: Unread(0.0, frozenset()), bool, STUCK_AFTER, KNOWN_FOR, end, clock
        )
        await bench.feed("notes", 0, 100)
        bench.start()
        while not world.memory.commits:
            await asyncio.sleep(LOOK_EVERY)
            dog.look()
        found_at = clock()
        bench.lane.revoke()
        return found_at

    world = Stores(lane_limits=replace(LANE_LIMITS, step_max_records=1_000))
    send(world, 64, do="boom")
    world.memory.attempt_counts[world.lane(HERE), "notes", 0] = 2
    bench = Bench(world, world.process(delay=2.0))
    assert run(scenario()) > 2 * STUCK_AFTER


def test_a_lane_whose_records_are_not_fetched_while_another_takes_nothing_more_is_not_stuck():
    world = World()
    world.unread = frozenset([LANE])
    other = msgspec.structs.replace(ROW, lane=LaneId("metrics", 2))
    for moves in range(5):
        world.lanes = [glance(), glance(row=other, holds=True, full=True, moves=moves)]
        world.pass_time(STUCK_AFTER - 1)
    world.lanes = [glance(), glance(row=other)]
    with pytest.raises(Ended, match="lane metrics/1 is stuck"):
        world.pass_time(STUCK_AFTER + 3)


def test_what_was_found_on_the_broker_long_ago_does_not_count():
    world = World()
    world.unread = frozenset([LANE])
    world.pass_time(STUCK_AFTER - 2)
    world.broker_answers = False
    world.pass_time(10 * STUCK_AFTER)
    # nor is it forgotten: it goes on to count once it is found again
    world.broker_answers = True
    with pytest.raises(Ended, match="its records were not fetched"):
        world.pass_time(3 + KNOWN_FOR)


def test_a_lane_that_waits_its_turn_is_not_stuck_until_nothing_moves_any_more():
    world = World(holds=True)
    world.queued = True
    world.pass_time(10 * STUCK_AFTER)
    world.queued = False
    with pytest.raises(Ended):
        world.pass_time(1)


def test_time_in_which_the_process_was_suspended_does_not_count():
    world = World(holds=True)
    world.pass_time(2)
    world.now += 1000 * STUCK_AFTER
    world.pass_time(STUCK_AFTER / 2)


def test_calls_wait_their_turn_as_long_as_others_come_to_an_end():
    async def work():
        now = 0.0
        threads, go = StoreThreads(1, lambda: now), threading.Event()
        first = asyncio.ensure_future(threads.offload(go.wait))
        second = asyncio.ensure_future(threads.offload(int))
        await asyncio.sleep(0)
        assert threads.queued(within=10.0)
        now = 11.0
        assert not threads.queued(within=10.0)
        go.set()
        await asyncio.gather(first, second)
        assert not threads.queued(within=10.0)
        threads.close()

    asyncio.run(work())


def test_it_says_where_a_task_waits_and_what_threads_are_doing():
    async def waits_for_ever():
        await asyncio.get_running_loop().create_future()

    async def outer():
        await waits_for_ever()

    async def work():
        task = asyncio.ensure_future(outer())
        await asyncio.sleep(0)
        said = awaits_of(task)
        task.cancel()
        return said

    said = asyncio.run(work())
    assert said.index("outer") < said.index("waits_for_ever")
    over = threading.Event()
    hanging = threading.Thread(target=over.wait, name="store_7")
    hanging.start()
    told = "\n".join(threads_at())
    over.set()
    hanging.join()
    assert "thread store_7:" in told
    assert "wait" in told
