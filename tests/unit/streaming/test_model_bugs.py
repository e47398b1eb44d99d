"""A bug in a model ends the process twice; at the third attempt the culprit is set aside, and the rest applied."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.clock import run, until
from tests.support.fakes.notes import NotesModel
from tests.support.fakes.process import Ended, Mishap
from tests.support.fakes.reader import Reader
from tests.support.fakes.services import services_of
from tests.support.fakes.world import CALM, World
from tests.unit.streaming.lane_bench import HERE, SERVICES, Bench, send
from vigia.events.effects import Timer
from vigia.events.invalid import Reason
from vigia.stores.base import DeadLetterRow, OutboxRow, StateRow
from vigia.streaming.dead_letters import TIMER_POSITION
from vigia.streaming.failure import EXIT_BUG, EXIT_TRANSIENT


class BrokenPublisher:
    """Has a bug."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        raise TypeError("a bug in the publisher")

    async def tick(self, topic: str, partition: int) -> None:
        """Works."""


async def live(world: World, sizes: tuple[int, ...]) -> int | None:
    """Let one worker live until all is applied or the lane is stopped, or return the exit code it has ended with."""
    lanes = world.lanes(world.process())
    reader = Reader(world, lanes, sizes)
    await reader.assign([HERE], 1)
    (lane,) = lanes._tasks
    reading = asyncio.ensure_future(reader.read_for(1_000))
    await until(lambda: lane.done() or settled(world), look_every=0.005)
    reading.cancel()
    if not lane.done():
        lanes.revoke()
        return None
    error = lane.exception()
    assert isinstance(error, Ended)
    assert not reader.acknowledged or world.memory.lane_rows[world.lane(HERE)].offsets == {
        "more": 0,
        **{topic: offset for (topic, _), offset in reader.acknowledged.items()},
    }
    return error.code


def settled(world: World) -> bool:
    row = world.memory.lane_rows[world.lane(HERE)]
    end = world.broker.end("notes", HERE)
    return bool(row.stopped) or (row.offsets.get("notes", 0) == end and not world.memory.waiting[row.lane])


def lives(world: World, sizes: tuple[int, ...] = (100,), most: int = 60) -> list[int]:
    """Restart workers until one survives; return the exit codes of the others."""

    async def scenario() -> list[int]:
        codes: list[int] = []
        for _ in range(most):
            code = await live(world, sizes)
            if code is None:
                return codes
            codes.append(code)
        raise AssertionError(f"still ends after {most} attempts")

    return run(scenario())


def letters(world: World) -> list[DeadLetterRow]:
    return sorted(world.memory.dead_letters("open", 1_000), key=lambda letter: letter.offset)


def counts(world: World) -> dict[str, Any]:
    return world.memory.lane_rows[world.lane(HERE)].counts


def test_the_first_attempts_end_the_process_with_the_bugs_code_and_acknowledge_nothing():
    async def scenario() -> None:
        for attempt in (1, 2):
            bench = Bench(world, world.process())
            await bench.feed("notes", 0, 5)
            bench.start()
            assert bench.task is not None
            with pytest.raises(Ended, match="the model cannot take") as ended:
                await bench.task
            assert ended.value.code == EXIT_BUG
            assert bench.acknowledged == []
            assert world.memory.attempts(world.lane(HERE), "notes", 0) == attempt

    world = World()
    send(world, 4)
    send(world, 1, do="boom")
    run(scenario())
    assert world.memory.commits == []


@pytest.mark.parametrize(
    ("refusals", "code", "attempts"), [(3, EXIT_BUG, 1), (9_999, EXIT_TRANSIENT, 0)], ids=["for a while", "for ever"]
)
def test_a_bug_while_attempts_cannot_be_counted_is_logged_first_and_counted_when_they_can(
    refusals, code, attempts, caplog
):
    async def scenario() -> None:
        mishaps = {("record_attempt", number): Mishap.REFUSED for number in range(refusals)}
        bench = Bench(world, world.process(mishaps=mishaps))
        await bench.feed("notes", 0, 1)
        bench.start()
        assert bench.task is not None
        with pytest.raises(Ended) as ended:
            await bench.task
        assert ended.value.code == code

    world = World()
    send(world, 1, do="boom")
    run(scenario())
    assert world.memory.attempts(world.lane(HERE), "notes", 0) == attempts
    assert "the model cannot take" in caplog.text.partition("count an attempt")[0]


def test_at_the_third_attempt_the_culprit_alone_is_set_aside_with_its_traceback():
    world = World()
    send(world, 7)
    send(world, 1, do="boom", event_id="poison")
    send(world, 5)
    assert lives(world) == [EXIT_BUG, EXIT_BUG]
    (letter,) = letters(world)
    assert (letter.topic, letter.offset, letter.position, letter.reason) == ("notes", 7, 0, Reason.MODEL_ERROR)
    assert "BoomError" in letter.detail
    assert "Traceback" in letter.detail
    assert b"poison" in letter.body
    figures = {name: counts(world)[f"notes.{name}"] for name in ("in", "applied", "invalid")}
    assert figures == {"in": 13, "applied": 12, "invalid": 1}
    assert counts(world)["noted"] == 12
    assert len(world.kept.records) == 13


def test_the_states_that_a_failed_attempt_has_spoiled_are_loaded_again():
    healthy, poisoned = World(), World()
    for world in (healthy, poisoned):
        send(world, 6, do="emit")
    send(poisoned, 1, do="boom")
    lives(healthy)
    lives(poisoned)
    assert poisoned.memory.states[poisoned.lane(HERE)] == healthy.memory.states[healthy.lane(HERE)]
    assert poisoned.broker.outputs() >= healthy.broker.outputs()


@settings(max_examples=40)
@given(
    dos=st.lists(st.sampled_from(["", "", "", "emit", "correct", "boom"]), min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=3).map(tuple),
)
def test_whichever_records_are_poison_exactly_they_are_set_aside(dos, sizes):
    poisoned, healthy = World(), World()
    for number, do in enumerate(dos):
        send(poisoned, do=do, amount=number)
        if do != "boom":
            send(healthy, do=do, amount=number)
    codes = lives(poisoned, sizes)
    lives(healthy)
    assert set(codes) <= {EXIT_BUG}
    assert [letter.offset for letter in letters(poisoned)] == [n for n, do in enumerate(dos) if do == "boom"]
    assert poisoned.memory.states[poisoned.lane(HERE)] == healthy.memory.states[healthy.lane(HERE)]
    assert poisoned.memory.summary_rows == healthy.memory.summary_rows
    assert counts(poisoned)["notes.in"] == len(dos)
    assert not poisoned.memory.outbox(poisoned.lane(HERE), 10)


# -------------------------------------------------------------------------------------------------------------- timers


def test_a_timer_that_the_model_fails_on_is_set_aside_and_all_events_and_other_timers_are_applied():
    world = World()
    send(world, 1, do="boom later", wait=10.0)
    send(world, 1, do="wake", wait=10.0)
    send(world, 3, pause=20.0)
    assert lives(world, (2, 3)) == [EXIT_BUG, EXIT_BUG]
    (letter,) = letters(world)
    assert (letter.reason, letter.position, letter.key) == (Reason.MODEL_ERROR, TIMER_POSITION, SERVICES[0].encode())
    assert msgspec.json.decode(letter.body, type=Timer) == Timer("boom later", SERVICES[0], world.began + 10.0)
    assert "cannot be fired" in letter.detail
    assert (counts(world)["notes.applied"], counts(world)["notes.invalid"]) == (5, 0)
    assert world.memory.timers[world.lane(HERE)] == {}
    # the timer beside it
    assert [topic for topic, _, _ in world.broker.outputs()].count("totals") == 1


def test_however_many_timers_the_model_fails_on_they_are_found_at_once():
    world, services = World(), services_of(HERE, 41)[1:]
    for service in services:
        world.memory.timers[world.lane(HERE)]["boom later", service] = world.began + 10.0
    world.memory.timers[world.lane(HERE)]["wake", services[-1]] = world.began + 10.0
    world.memory.states[world.lane(HERE)][services[0]] = StateRow(services[0], NotesModel.schema, b"damaged")
    send(world, 1, pause=20.0)
    assert lives(world, (1,), most=3) == [EXIT_BUG, EXIT_BUG]
    # once for each of the first attempts, then for the state, for the others, and for what is left
    assert len(world.kept.appended) <= 2 + 3
    assert sorted(letter.key.decode() for letter in letters(world)) == sorted(services)
    assert {letter.position for letter in letters(world)} == {TIMER_POSITION}
    assert world.memory.timers[world.lane(HERE)] == {}
    assert [topic for topic, _, _ in world.broker.outputs()].count("totals") == 1


def test_a_timer_whose_state_cannot_be_loaded_is_set_aside():
    world = World()
    send(world, 1, do="wake", wait=1_000.0)
    assert lives(world) == []
    lane = world.lane(HERE)
    world.memory.states[lane][SERVICES[0]] = StateRow(SERVICES[0], NotesModel.schema, b"damaged")
    world.broker.append("notes", b"", at=world.began + 2_000, partition=HERE, headers=(("vigia-tick", b"1"),))
    assert lives(world) == [EXIT_BUG, EXIT_BUG]
    (letter,) = letters(world)
    assert letter.position == TIMER_POSITION
    assert world.memory.timers[lane] == {}


def test_a_poison_timer_and_a_poison_event_in_one_batch_are_both_set_aside():
    world = World()
    send(world, 1, do="boom later", wait=10.0)
    send(world, 2)
    send(world, 1, do="boom", pause=20.0)
    send(world, 2, pause=20.0)
    codes = lives(world, (3, 10))
    assert set(codes) == {EXIT_BUG}
    assert sorted(letter.position for letter in letters(world)) == [TIMER_POSITION, 0]
    assert (counts(world)["notes.applied"], counts(world)["notes.invalid"]) == (5, 1)


# ------------------------------------------------------------------------------------------------------- in the middle


def test_a_flood_that_stops_the_lane_between_two_halves_leaves_the_rest_unapplied_and_unacknowledged():
    async def scenario() -> None:
        world.memory.attempt_counts[world.lane(HERE), "notes", 0] = 2
        bench = Bench(world, world.process())
        await bench.feed("notes", 0, 8)
        bench.start()
        await asyncio.sleep(10)
        assert bench.row.stopped
        assert bench.row.offsets == {"notes": 4}
        assert bench.acknowledged == []
        world.memory.release(bench.lane.id)
        await asyncio.sleep(2)
        assert ("seek", "notes", HERE, 4) in bench.flow.asked
        bench.lane.revoke()

    world = World(flood=replace(CALM, run=4))
    for _ in range(4):
        world.broker.append("notes", b"{", at=world.began, key=SERVICES[0].encode())
    send(world, 3)
    send(world, 1, do="boom")
    run(scenario())
    lives(world)
    assert (counts(world)["notes.applied"], counts(world)["notes.invalid"]) == (3, 5)


def test_a_failure_after_the_commit_is_not_taken_for_the_models():
    async def scenario() -> None:
        world.memory.attempt_counts[world.lane(HERE), "notes", 0] = 2
        process = world.process()
        process.ports = replace(process.ports, publisher=BrokenPublisher())
        bench = Bench(world, process)
        await bench.feed("notes", 0, 4)
        bench.start()
        assert bench.task is not None
        with pytest.raises(Ended, match="a bug in the publisher") as ended:
            await bench.task
        assert ended.value.code == EXIT_BUG

    world = World()
    send(world, 4, do="emit")
    run(scenario())
    assert letters(world) == []
    # the next worker publishes them
    assert lives(world) == []
    assert len(world.broker.outputs()) == 4


class CancellingPublisher(BrokenPublisher):
    """Cancels what a lane waits for, as a library may that gives up inside."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        raise asyncio.CancelledError


def test_a_lane_whose_wait_is_cancelled_ends_the_process_and_does_not_block_its_topics_in_silence():
    async def scenario() -> None:
        process = world.process()
        process.ports = replace(process.ports, publisher=CancellingPublisher())
        bench = Bench(world, process)
        await bench.feed("notes", 0, 4)
        bench.start()
        assert bench.task is not None
        with pytest.raises(Ended, match="a wait was cancelled") as ended:
            await bench.task
        assert ended.value.code == EXIT_BUG

    world = World()
    send(world, 4, do="emit")
    run(scenario())


def test_a_lane_that_is_cancelled_itself_ends_without_the_process():
    async def scenario() -> None:
        bench = Bench(world, world.process())
        bench.start()
        assert bench.task is not None
        await asyncio.sleep(0.1)
        bench.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await bench.task

    world = World()
    run(scenario())
