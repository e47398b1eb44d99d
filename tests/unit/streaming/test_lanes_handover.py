"""Lanes that change hands: the earlier owner cannot disturb the next one, and no record is lost or applied twice."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.clock import run, until
from tests.support.fakes.notes import NOTES, Note, encode, notes_route
from tests.support.fakes.reader import Reader, RecordedFlow
from tests.support.fakes.services import services_of
from tests.support.fakes.world import PARTITIONS, World
from vigia.stores.base import StepCommit
from vigia.streaming.ownership import BrokerFacts

COUNTS = {"notes": PARTITIONS, "more": PARTITIONS}


def facts(partitions: list[int]) -> dict[tuple[str, int], BrokerFacts]:
    return {(name, number): BrokerFacts(0, 0) for name in COUNTS for number in partitions}


def send(world: World, partition: int, number: int, **fields: Any) -> None:
    """Send so many notes, all different, to the services of a partition."""
    services = services_of(partition)
    for n in range(number):
        service = services[n % len(services)]
        note = Note(
            service=service, event_id=f"{service}-{world.broker.end('notes', partition)}", amount=n + 1, **fields
        )
        world.broker.append("notes", encode(note), at=world.began, key=service.encode())


def steps_of(world: World) -> list[StepCommit]:
    """The commits of steps, without those that say where a lane begins."""
    return [commit for commit in world.memory.commits if commit.step is not None]


def test_batches_of_an_older_generation_or_of_lanes_that_are_not_ours_are_dropped_unacknowledged():
    async def scenario() -> None:
        lanes = world.lanes(world.process())
        await lanes.acquire(facts([0]), COUNTS, 2, RecordedFlow())
        for partition, generation in ((0, 1), (1, 2), (0, 3)):
            batch = world.batch("notes", partition, 0, 10, generation)
            assert batch is not None
            await lanes.take(batch, lambda: acknowledged.append(1))
        await asyncio.sleep(5)

    world = World()
    for partition in (0, 1):
        send(world, partition, 3)
    acknowledged: list[int] = []
    run(scenario())
    assert acknowledged == []
    assert steps_of(world) == []


def test_the_cached_states_of_all_lanes_stay_within_the_workers_bound():
    async def scenario() -> None:
        lanes = world.lanes(world.process())
        reader = Reader(world, lanes)
        await reader.assign(range(PARTITIONS), 1)
        await reader.read_for(5)
        assert sum(len(lane.state.cache) for lane in lanes._lanes.values()) <= world.cache_entries

    world = World(cache_entries=6)
    for partition in range(PARTITIONS):
        send(world, partition, 20)
    run(scenario())
    assert len(steps_of(world)) >= PARTITIONS


def test_a_worker_that_was_paused_in_the_middle_of_a_step_cannot_commit_after_the_next_owner_has_taken_over():
    async def scenario() -> None:
        slow = world.process(delays={"commit": 30.0})
        zombie = world.lanes(slow, "worker-1")
        first = Reader(world, zombie)
        await first.assign([0], 1)
        await first.read_once()
        await until(lambda: slow.calls["commit"] > 1)
        second = Reader(world, world.lanes(world.process(), "worker-2"))
        await second.assign([0], 2)
        await second.read_for(60)
        assert first.acknowledged == {}
        assert second.acknowledged == {("notes", 0): 5}

    world = World()
    send(world, 0, 5, do="emit")
    run(scenario())
    assert [commit.lane.owner for commit in steps_of(world)] == ["worker-2"]
    assert len(world.broker.published) == 5


def test_a_lane_that_comes_back_to_the_same_worker_is_not_disturbed_by_its_own_step_of_before():
    async def scenario() -> None:
        process = world.process(delays={"commit": 3.0})
        lanes = world.lanes(process)
        reader = Reader(world, lanes)
        await reader.assign([0], 1)
        await reader.read_once()
        await until(lambda: process.calls["commit"] > 1)
        lanes.revoke()
        await reader.assign([0], 2)
        await reader.read_for(30)
        assert not process.dead
        assert reader.acknowledged == {("notes", 0): 5}

    world = World()
    send(world, 0, 5, do="emit")
    run(scenario())
    assert world.memory.lane_rows[world.lane(0)].counts["notes.applied"] == 5
    assert len(steps_of(world)) == 1


def test_lanes_that_are_revoked_while_they_are_taken_over_do_not_start():
    async def scenario() -> None:
        process = world.process(delays={"acquire": 1.0})
        lanes = world.lanes(process)
        taking = asyncio.ensure_future(lanes.acquire(facts([0, 1, 2]), COUNTS, 1, RecordedFlow()))
        await asyncio.sleep(1.5)
        lanes.revoke()
        assert await taking == {}
        await asyncio.sleep(60)
        assert lanes._lanes == {}
        assert lanes._tasks == set()
        assert process.calls["acquire"] == 2

    world = World()
    run(scenario())
    assert world.broker.ticks == []


def test_draining_lets_the_step_under_way_finish():
    async def scenario() -> None:
        process = world.process(delays={"commit": 2.0})
        lanes = world.lanes(process)
        reader = Reader(world, lanes)
        await reader.assign([0], 1)
        await reader.read_once()
        await until(lambda: process.calls["commit"] > 1)
        await lanes.drain(10.0)
        assert reader.acknowledged == {("notes", 0): 5}
        assert lanes._tasks == set()

    world = World()
    send(world, 0, 5)
    run(scenario())
    assert len(steps_of(world)) == 1


class Group:
    """Two workers, and a group that gives one lane to either of them."""

    def __init__(self, world: World, sizes: list[int], commit_takes: float) -> None:
        self._generation = 0
        self._workers = {}
        for name in "ab":
            lanes = world.lanes(world.process(delays={"commit": commit_takes}), name)
            self._workers[name] = (lanes, Reader(world, lanes, sizes))

    async def give(self, name: str, *, told: bool) -> Reader:
        """Give the lane to this worker; the other one may not be told for a while, and goes on."""
        other_lanes, other = self._workers["b" if name == "a" else "a"]
        if told:
            other_lanes.revoke()
            other.positions = {}
        for lane in other_lanes._lanes.values():
            asyncio.get_running_loop().call_later(0.1, lane.revoke)
        self._generation += 1
        reader = self._workers[name][1]
        await reader.assign([0], self._generation)
        await reader.read_once()
        await other.read_once()
        return reader


moves = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 0.003, 0.02, 0.3]), st.booleans()), min_size=1, max_size=6
)


@settings(max_examples=60)
@given(moves=moves, sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3), slow=st.sampled_from([0.001, 0.05, 0.4]))
def test_a_lane_that_moves_between_workers_at_any_moment_applies_each_record_once(moves, sizes, slow):
    async def scenario() -> None:
        group = Group(world, sizes, slow)
        reader = None
        for name, pause, told in moves:
            reader = await group.give(name, told=told)
            await asyncio.sleep(pause)
            await reader.read_once()
        assert reader is not None
        await reader.read_for(10)

    world = World(route=notes_route(NOTES))
    send(world, 0, 25, do="emit")
    run(scenario())
    row = world.memory.lane_rows[world.lane(0)]
    assert row.offsets == {"notes": 25}
    assert (row.counts["notes.in"], row.counts["notes.applied"], row.counts["noted"]) == (25, 25, 25)
    assert len(world.broker.outputs()) == 25
    assert len(world.kept.records) == 25
    assert world.memory.outbox(world.lane(0), 10) == []
