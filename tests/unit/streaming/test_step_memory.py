"""What a lane keeps in memory never changes what it does: cached states, and when the next timer is due."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.clock import run
from tests.support.fakes.notes import Note, encode
from tests.support.fakes.services import services_of
from tests.support.fakes.world import World
from tests.unit.streaming.histories import HERE, RIGHT, Cutter, arrive, sendings, sizes
from tests.unit.streaming.playing import left_by, played
from vigia.streaming import step as step_module
from vigia.streaming.batches import TICK_HEADER
from vigia.streaming.lane_state import StateCache


@settings(max_examples=60)
@given(history=sendings(), cuts=sizes, entries=st.integers(1, 2))
def test_a_cache_of_one_state_does_as_well_as_one_of_all(history, cuts, entries):
    assert left_by(played(history, cuts, cache_entries=entries)) == left_by(played(history, cuts))


@settings(max_examples=60)
@given(history=sendings(), cuts=sizes)
def test_the_next_timer_is_never_thought_to_be_later_than_it_is(history, cuts):
    async def scenario() -> None:
        state, step = world.take_over(HERE), world.step(world.process())
        for batch in Cutter(world, cuts).batches():
            await step.run(state, batch, asyncio.Event())
            due = world.memory.next_due(world.lane(HERE))
            # earlier costs a look, later would hold the timer up
            assert (state.next_due is None) == (due is None)
            assert state.next_due is None or due is None or state.next_due <= due

    world = World()
    arrive(world, history)
    run(scenario())


def next_due_after(*notes: Note) -> list[float | None]:
    """When the lane thinks the next timer is due, after each note."""

    async def scenario() -> list[float | None]:
        state, step = world.take_over(HERE), world.step(world.process())
        found = []
        for note in notes:
            world.broker.append("notes", encode(note), at=world.began, key=note.service.encode(), partition=HERE)
            batch = world.batch("notes", HERE, state.next_offset("notes"), 1)
            assert batch is not None
            await step.run(state, batch, asyncio.Event())
            found.append(None if state.next_due is None else state.next_due - world.began)
        return found

    world = World()
    return run(scenario())


def test_an_earlier_timer_is_the_next_one_and_a_later_one_is_not():
    waits = ((RIGHT[0], 50.0), (RIGHT[1], 20.0), (RIGHT[2], 80.0))
    notes = [Note(service=service, do="wake", wait=wait) for service, wait in waits]
    assert next_due_after(*notes) == [50.0, 20.0, 20.0]


def test_when_the_next_timer_is_cleared_the_one_after_it_is_next_or_none():
    first, second = RIGHT[:2]
    notes = [Note(service=first, do="wake", wait=20.0), Note(service=second, do="wake", wait=50.0)]
    notes += [Note(service=first, do="sleep"), Note(service=second, do="sleep")]
    assert next_due_after(*notes) == [20.0, 20.0, 50.0, None]


def test_a_step_that_clears_one_timer_and_sets_another_knows_of_both():
    # an array: both in one step
    async def scenario() -> float | None:
        state, step = world.take_over(HERE), world.step(world.process())
        for value in (
            encode(Note(service=RIGHT[0], do="wake", wait=20.0)),
            encode(Note(service=RIGHT[0], do="sleep"), Note(service=RIGHT[0], do="wake", wait=70.0)),
        ):
            world.broker.append("notes", value, at=world.began, key=RIGHT[0].encode())
            batch = world.batch("notes", HERE, state.next_offset("notes"), 1)
            assert batch is not None
            await step.run(state, batch, asyncio.Event())
        return state.next_due

    world = World()
    # earlier than it is at most: the timer was moved
    assert (run(scenario()) or 0) - world.began in {20.0, 70.0}
    assert world.memory.next_due(world.lane(HERE)) == world.began + 70.0


def wake(world: World, number: int) -> None:
    for n in range(number):
        note = Note(service=services_of(HERE, 4)[n], do="wake", wait=float(n), event_id=str(n))
        world.broker.append("notes", encode(note), at=world.began, key=note.service.encode(), partition=HERE)


def test_more_timers_than_one_step_may_fire_follow_in_the_next(monkeypatch):
    async def scenario() -> list[int]:
        state, step = world.take_over(HERE), world.step(world.process())
        fired = []
        for n in range(4):
            if n:
                at = world.began + 100 + n
                world.broker.append("notes", b"", at=at, partition=HERE, headers=((TICK_HEADER, b"1"),))
            batch = world.batch("notes", HERE, state.next_offset("notes"), 10)
            assert batch is not None
            await step.run(state, batch, asyncio.Event())
            fired.append(len(world.broker.published))
        assert state.next_due is None
        return fired

    monkeypatch.setattr(step_module, "MAX_TIMERS", 3)
    world = World()
    wake(world, 4)
    assert run(scenario()) == [0, 3, 4, 4]


def test_timers_are_looked_for_only_once_one_is_due():
    async def scenario() -> None:
        state, step = world.take_over(HERE), world.step(process)
        for n in range(3):
            world.broker.append("notes", encode(Note(service=RIGHT[0])), at=world.began + n, key=RIGHT[0].encode())
            batch = world.batch("notes", HERE, state.next_offset("notes"), 10)
            assert batch is not None
            await step.run(state, batch, asyncio.Event())

    world = World()
    process = world.process()
    run(scenario())
    assert (process.calls["due"], process.calls["next_due"]) == (0, 0)


def test_a_state_that_was_loaded_is_not_loaded_again():
    async def scenario() -> None:
        state, step = world.take_over(HERE), world.step(process)
        for n in range(3):
            world.broker.append("notes", encode(Note(service=RIGHT[0])), at=world.began + n, key=RIGHT[0].encode())
            batch = world.batch("notes", HERE, state.next_offset("notes"), 10)
            assert batch is not None
            await step.run(state, batch, asyncio.Event())

    world = World()
    process = world.process()
    run(scenario())
    assert process.calls["load"] == 1


@pytest.mark.parametrize("entries", [1, 3])
def test_the_cache_lets_go_of_the_least_recently_used(entries):
    cache = StateCache(entries)
    for key in "abc":
        cache.update({key: key})
    cache.split({"a"})
    cache.update({"d": "d"})
    assert len(cache) == entries
    held, missing = cache.split(set("abcd"))
    assert sorted(held) == (["a", "c", "d"] if entries == 3 else ["d"])
    assert missing == sorted(set("abcd") - set(held))


def test_known_to_be_absent_is_not_the_same_as_not_known():
    cache = StateCache(3)
    cache.update({"a": None})
    assert cache.split({"a", "b"}) == ({"a": None}, ["b"])
