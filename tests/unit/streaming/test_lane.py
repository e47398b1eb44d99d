"""A lane at work: how it merges batches, notices gaps, passes time, is stopped and released, and is lost.

One file: every test here runs the same lane, set up by the same helpers, through another part of its life.
"""

import asyncio
from dataclasses import replace

import pytest

from tests.support.fakes.clock import run, until
from tests.support.fakes.process import Ended, Mishap
from tests.support.fakes.raw_log import MemoryRawLog
from tests.support.fakes.reader import Reader
from tests.support.fakes.world import CALM, LANE_LIMITS, World
from tests.unit.streaming.lane_bench import HERE, SERVICES, Bench, send
from vigia.stores.base import RawBatch
from vigia.stores.errors import Unusable
from vigia.streaming.failure import EXIT_NEEDS_PERSON, EXIT_TRANSIENT


class OldRawLog(MemoryRawLog):
    """A raw log of an older version."""

    def append(self, batch: RawBatch) -> None:
        raise Unusable("run the migration")


GROUPS = replace(LANE_LIMITS, queue_batches=100)


async def settle(seconds: float = 0.5) -> None:
    await asyncio.sleep(seconds)


# ------------------------------------------------------------------------------------------------------------- merging


def test_contiguous_batches_of_a_topic_become_one_step_and_all_are_acknowledged():
    async def scenario() -> None:
        for start in (0, 3, 6):
            await bench.feed("notes", start, 3)
        bench.start()
        await settle()

    world = World(lane_limits=GROUPS)
    send(world, 9)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.steps() == [("notes", 0, 8)]
    assert bench.acknowledged == [("notes", 3), ("notes", 6), ("notes", 9)]


@pytest.mark.parametrize("limits", [{"step_max_records": 6}, {"step_max_bytes": 400}])
def test_a_step_takes_no_more_than_the_limits_allow(limits):
    async def scenario() -> None:
        for start in range(0, 15, 3):
            await bench.feed("notes", start, 3)
        bench.start()
        await settle()

    world = World(lane_limits=replace(GROUPS, **limits))
    send(world, 15)
    size = len(world.broker.logs["notes", HERE][-1].value or b"")
    assert 6 * size <= 400 < 9 * size
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.steps() == [("notes", 0, 5), ("notes", 6, 11), ("notes", 12, 14)]


def test_batches_of_different_topics_are_not_merged_and_keep_their_order():
    async def scenario() -> None:
        await bench.feed("notes", 0, 2)
        await bench.feed("more", 0, 2)
        await bench.feed("more", 2, 2)
        await bench.feed("notes", 2, 2)
        bench.start()
        await settle()

    world = World(lane_limits=GROUPS)
    send(world, 4)
    send(world, 4, topic="more")
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.steps() == [("notes", 0, 1), ("more", 0, 3), ("notes", 2, 3)]


def test_batches_with_a_gap_between_them_are_not_merged():
    async def scenario() -> None:
        await bench.feed("notes", 0, 2)
        await bench.feed("notes", 4, 2)
        bench.start()
        await settle()

    world = World(lane_limits=GROUPS)
    send(world, 6)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.steps() == [("notes", 0, 1)]
    assert bench.flow.asked == [("seek", "notes", HERE, 2)]
    assert bench.acknowledged == [("notes", 2)]


def test_offsets_that_do_not_exist_are_no_gap():
    # compaction and transaction markers leave holes inside of what was asked for
    async def scenario() -> None:
        await bench.feed("notes", 0, 2)
        await bench.feed("notes", 2, 2)
        bench.start()
        await settle()

    world = World(lane_limits=GROUPS)
    send(world, 2)
    world.broker.append("notes", b"{", at=world.began, key=SERVICES[0].encode(), skip=5)
    send(world, 1)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.flow.asked == []
    assert bench.row.offsets == {"notes": 9}
    assert bench.row.counts["notes.in"] == 4


def test_a_lane_that_takes_nothing_more_says_so():
    async def scenario() -> None:
        for start in (0, 3):
            assert not bench.lane.glance().full
            await bench.feed("notes", start, 3)
        assert bench.lane.glance().full
        bench.start()
        await settle()
        assert not bench.lane.glance().full

    world = World(lane_limits=replace(LANE_LIMITS, queue_batches=2))
    send(world, 6)
    bench = Bench(world, world.process())
    run(scenario())


# ---------------------------------------------------------------------------------------------------------------- gaps


def test_what_lies_before_a_gap_is_read_again():
    async def scenario() -> None:
        lanes = world.lanes(world.process())
        reader = Reader(world, lanes, [2])
        await reader.assign([HERE], 1)
        await reader.read_once()
        await settle()
        reader.positions["notes", HERE] = 6
        await reader.read_for(5)
        assert reader.seeks == [("notes", HERE, 2)]

    world = World(lane_limits=GROUPS)
    send(world, 9)
    run(scenario())
    assert world.memory.lane_rows[world.lane(HERE)].counts["notes.applied"] == 9


def test_a_gap_before_the_first_batch_of_a_topic_is_noticed():
    async def scenario() -> None:
        reader = Reader(world, world.lanes(world.process()), [3])
        await reader.assign([HERE], 1)
        # what Faust had buffered was dropped on its way
        reader.positions["notes", HERE] = 3
        await reader.read_for(5)
        assert reader.seeks == [("notes", HERE, 0)]

    world = World()
    send(world, 9)
    run(scenario())
    assert world.memory.lane_rows[world.lane(HERE)].counts["notes.applied"] == 9


def test_a_gap_in_one_topic_loses_nothing_of_another():
    async def scenario() -> None:
        await bench.feed("notes", 0, 2)
        bench.start()
        await settle()
        await bench.feed("notes", 4, 2)
        await bench.feed("more", 0, 3)
        await bench.feed("notes", 6, 2)
        await bench.feed("more", 3, 3)
        await settle()
        # nothing more of it comes: what was in hand must not have been thrown away
        assert bench.steps()[1:] == [("more", 0, 5)]
        await bench.feed("notes", 2, 6)
        await settle()

    world = World(lane_limits=GROUPS)
    send(world, 8)
    send(world, 6, topic="more")
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.row.offsets == {"notes": 8, "more": 6}
    assert set(bench.flow.asked) == {("seek", "notes", HERE, 2)}


# --------------------------------------------------------------------------------------------------------------- ticks


def test_an_idle_lane_without_a_timer_sends_no_tick():
    async def scenario() -> None:
        await bench.feed("notes", 0, 1)
        bench.start()
        await settle(3_600)

    world = World()
    send(world)
    bench = Bench(world, world.process())
    run(scenario())
    assert world.broker.ticks == []


def test_an_idle_lane_sends_a_tick_only_once_a_timer_is_due():
    async def scenario() -> None:
        await bench.feed("notes", 0, 1)
        bench.start()
        await settle(99)
        assert world.broker.ticks == []
        await settle(4)

    world = World()
    send(world, do="wake", wait=100.0)
    bench = Bench(world, world.process())
    run(scenario())
    assert world.broker.ticks == [("notes", HERE)]


def test_a_tick_that_does_not_come_back_is_sent_again_after_a_while_and_one_that_did_is_not():
    async def scenario() -> None:
        await bench.feed("notes", 0, 1)
        bench.start()
        await settle(8)
        assert len(world.broker.ticks) == 1
        await settle(10)
        assert len(world.broker.ticks) == 2
        await bench.feed("notes", 1, 2)
        await settle(3_600)

    world = World()
    send(world, do="wake")
    bench = Bench(world, world.process())
    run(scenario())
    assert len(world.broker.ticks) == 2
    assert bench.row.counts["notes.ticks"] == 2


def test_timers_fire_in_an_idle_lane_by_its_own_ticks():
    async def scenario() -> None:
        reader = Reader(world, world.lanes(world.process()))
        await reader.assign([HERE], 1)
        await reader.read_for(200)

    world = World()
    send(world, do="wake twice", wait=30.0)
    run(scenario())
    assert world.memory.timers[world.lane(HERE)] == {}
    # the second timer was set by the first
    assert len(world.broker.outputs()) == 2
    assert len(world.broker.ticks) == 2


# ----------------------------------------------------------------------------------------------- stopped, and released


def flood() -> World:
    return World(flood=replace(CALM, run=3))


def junk(world: World, number: int, topic: str = "notes") -> None:
    for _ in range(number):
        world.broker.append(topic, b"{", at=world.began, key=SERVICES[0].encode())


def test_a_stopped_lane_takes_nothing_and_goes_on_where_it_stopped_once_it_is_released():
    async def scenario() -> None:
        reader = Reader(world, world.lanes(process), [3])
        await reader.assign([HERE], 1)
        await reader.read_for(100)
        send(world, 4, topic="more")
        await reader.read_for(100)
        row = world.memory.lane_rows[world.lane(HERE)]
        assert row.stopped == "3 invalid events in a row (limit 3)"
        assert (row.counts["notes.in"], "more.in" in row.counts) == (3, False)
        assert reader.acknowledged == {("notes", HERE): 3}
        assert world.memory.release(world.lane(HERE))
        await reader.read_for(10)
        assert reader.acknowledged == {("notes", HERE): 8, ("more", HERE): 4}

    world = flood()
    process = world.process()
    junk(world, 3)
    send(world, 5)
    run(scenario())
    row = world.memory.lane_rows[world.lane(HERE)]
    assert row.stopped == ""
    assert (row.counts["notes.applied"], row.counts["more.applied"]) == (5, 4)
    assert not process.dead


def test_a_stopped_lane_names_the_whole_command_that_releases_it(caplog):
    async def scenario() -> None:
        reader = Reader(world, world.lanes(process), [3])
        await reader.assign([HERE], 1)
        await reader.read_for(100)

    world = flood()
    process = world.process()
    junk(world, 3)
    run(scenario())
    said = [record.getMessage() for record in caplog.records if "is stopped" in record.getMessage()]
    assert said
    lane = world.lane(HERE)
    assert f"`python -m scripts.dead_letters accept {lane.agent}/{lane.partition} --yes`" in said[0]


def test_nothing_is_fetched_for_a_stopped_lane():
    async def scenario() -> None:
        await bench.feed("notes", 0, 3)
        bench.start()
        await settle(10)
        assert bench.flow.asked == [("pause", "notes", HERE), ("pause", "more", HERE)]
        world.memory.release(bench.lane.id)
        await settle(3)

    world = flood()
    junk(world, 3)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.flow.asked[2:] == [
        ("seek", "notes", HERE, 3),
        ("resume", "notes", HERE),
        ("seek", "more", HERE, 0),
        ("resume", "more", HERE),
    ]


def test_a_lane_stays_stopped_for_the_next_owner():
    async def scenario() -> None:
        await bench.feed("notes", 0, 3)
        bench.start()
        await settle()
        bench.lane.revoke()
        after = Bench(world, world.process(), "worker-2")
        after.start()
        await settle()
        await after.feed("notes", 3, 2)
        await settle(100)
        assert after.acknowledged == []

    world = flood()
    junk(world, 3)
    send(world, 2)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.row.counts["notes.in"] == 3


def test_a_stopped_lane_that_is_taken_over_is_lost():
    async def scenario() -> None:
        await bench.feed("notes", 0, 3)
        bench.start()
        await settle()
        world.take_over(HERE, "worker-2")
        assert bench.task is not None
        with pytest.raises(Ended) as ended:
            await bench.task
        assert ended.value.code == EXIT_TRANSIENT

    world = flood()
    junk(world, 3)
    bench = Bench(world, world.process())
    run(scenario())


# ------------------------------------------------------------------------------------------------------ lost, and ended


def test_a_lost_lane_that_stays_assigned_ends_the_process_after_the_grace():
    async def scenario() -> float:
        world.take_over(HERE, "worker-2")
        await bench.feed("notes", 0, 1)
        bench.start()
        assert bench.task is not None
        with pytest.raises(Ended, match="still assigned here") as ended:
            await bench.task
        assert ended.value.code == EXIT_TRANSIENT
        return asyncio.get_running_loop().time()

    world = World()
    send(world)
    bench = Bench(world, world.process())
    assert 60 <= run(scenario()) < 62
    assert bench.acknowledged == []
    assert world.memory.commits == []


def test_a_lost_lane_that_is_revoked_within_the_grace_just_ends():
    async def scenario() -> None:
        world.take_over(HERE, "worker-2")
        await bench.feed("notes", 0, 1)
        bench.start()
        await settle(30)
        bench.lane.revoke()
        assert bench.task is not None
        await bench.task

    world = World()
    send(world)
    bench = Bench(world, world.process())
    run(scenario())
    assert not bench.process.dead
    assert bench.acknowledged == []


def test_a_lost_lane_takes_nothing_more():
    async def scenario() -> None:
        world.take_over(HERE, "worker-2")
        bench.start()
        for n in range(20):
            await bench.feed("notes", n, 1)
        await settle(10)

    world = World(lane_limits=replace(LANE_LIMITS, queue_batches=1))
    send(world, 20)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.acknowledged == []


def test_a_store_that_stays_away_ends_the_process_as_transient_with_nothing_acknowledged():
    async def scenario() -> None:
        await bench.feed("notes", 0, 1)
        bench.start()
        assert bench.task is not None
        with pytest.raises(Ended, match="retry budget") as ended:
            await bench.task
        assert ended.value.code == EXIT_TRANSIENT

    world = World()
    send(world)
    bench = Bench(world, world.process(budget=10.0, mishaps={("append", n): Mishap.REFUSED for n in range(1_000)}))
    run(scenario())
    assert bench.acknowledged == []


def test_a_store_that_cannot_be_used_ends_the_process_with_its_explanation():
    async def scenario() -> None:
        await bench.feed("notes", 0, 1)
        bench.start()
        assert bench.task is not None
        with pytest.raises(Ended, match="run the migration") as ended:
            await bench.task
        assert ended.value.code == EXIT_NEEDS_PERSON

    world = World(raw_log=OldRawLog())
    send(world)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.acknowledged == []


# ------------------------------------------------------------------------------------------------------------ hand-over


def test_handing_over_waits_while_the_lane_has_enough_and_gives_up_when_it_is_revoked():
    async def scenario() -> None:
        for n in range(2):
            await bench.feed("notes", n, 1)
        third = asyncio.ensure_future(bench.feed("notes", 2, 1))
        await settle()
        assert not third.done()
        bench.lane.revoke()
        await third

    world = World(lane_limits=replace(LANE_LIMITS, queue_batches=2))
    send(world, 3)
    bench = Bench(world, world.process())
    run(scenario())


def test_a_hand_over_that_is_cancelled_loses_nothing_of_what_was_handed_over_before_or_after():
    async def scenario() -> None:
        for n in range(2):
            await bench.feed("notes", n, 1)
        cancelled = asyncio.ensure_future(bench.feed("notes", 2, 1))
        await settle()
        cancelled.cancel()
        bench.start()
        await settle()
        await bench.feed("notes", 3, 1)
        await settle()
        # the cancelled batch is a gap now
        assert bench.flow.asked == [("seek", "notes", HERE, 2)]
        await bench.feed("notes", 2, 2)
        await settle()

    world = World(lane_limits=replace(LANE_LIMITS, queue_batches=2))
    send(world, 4)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.row.counts["notes.applied"] == 4


@pytest.mark.parametrize("after", [0.9985, 0.999, 0.9995, 1.0, 1.0005, 1.001, 2.0])
def test_a_batch_that_comes_just_when_the_idle_wait_ends_is_not_lost(after):
    async def scenario() -> None:
        bench.start()
        for n in range(3):
            await asyncio.sleep(after)
            await bench.feed("notes", n, 1)
        await settle()

    world = World()
    send(world, 3)
    bench = Bench(world, world.process())
    run(scenario())
    assert bench.acknowledged == [("notes", 1), ("notes", 2), ("notes", 3)]


def test_outputs_that_the_earlier_owner_did_not_publish_come_first():
    async def scenario() -> None:
        first = Bench(world, world.process(delays={"publish": 1_000.0}))
        await first.feed("notes", 0, 2)
        first.start()
        await until(lambda: world.memory.waiting[world.lane(HERE)])
        first.process.kill()
        second = Bench(world, world.process(), "worker-2")
        await second.feed("notes", 2, 2)
        second.start()
        await settle(10)

    world = World()
    send(world, 4, do="emit")
    run(scenario())
    assert [row.number for row in world.broker.published] == [0, 1, 2, 3]
    assert world.memory.outbox(world.lane(HERE), 10) == []
