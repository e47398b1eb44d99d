"""The order of a step's effects, and what it makes of answers that fail, get lost, or come from another owner."""

import asyncio
from typing import Any

import pytest

from tests.support.fakes.clock import run, until
from tests.support.fakes.notes import Note, encode
from tests.support.fakes.process import Mishap, Process
from tests.support.fakes.world import World
from tests.unit.streaming.histories import HERE, RIGHT
from vigia.stores.errors import Transient
from vigia.streaming.batches import Batch
from vigia.streaming.failure import LaneLostError


def one_note(world: World, do: Any = "emit", **fields: Any) -> Batch:
    """A batch with one more note, which has an output."""
    service = RIGHT[0]
    world.broker.append(
        "notes",
        encode(Note(service=service, do=do, **fields)),
        at=world.began,
        key=service.encode(),
        partition=HERE,
    )
    batch = world.batch("notes", HERE, 0, 10)
    assert batch is not None
    return batch


async def step_once(world: World, process: Process, revoked: asyncio.Event | None = None) -> None:
    state = world.take_over(HERE)
    await world.step(process).run(state, one_note(world), revoked or asyncio.Event())


def test_raw_events_are_kept_before_the_commit_which_comes_before_publishing_which_comes_before_deleting():
    # however long the raw log takes
    for delays in ({"append": 5.0}, {"load": 5.0}, {}):
        world = World()
        process = world.process(delays=delays)
        run(step_once(world, process))
        effects = [name for name in process.trace if name in {"append", "commit", "publish", "delete_outbox"}]
        assert effects == ["append", "commit", "publish", "delete_outbox"]


def test_nothing_is_committed_while_the_raw_log_is_away():
    world = World()
    process = world.process(budget=5.0, mishaps={("append", n): Mishap.REFUSED for n in range(1_000)})
    with pytest.raises(Transient):
        run(step_once(world, process))
    assert process.calls["append"] > 3
    assert process.calls["commit"] == 0
    assert world.memory.commits == []
    assert world.broker.published == []


def test_the_answer_to_a_commit_is_lost_and_it_happened():
    world = World()
    process = world.process(mishaps={("commit", 0): Mishap.UNANSWERED})
    run(step_once(world, process))
    assert len(world.memory.commits) == 1
    assert process.calls["commit"] == 1
    assert len(world.broker.published) == 1
    assert not world.memory.outbox(world.lane(HERE), 10)


def test_the_answer_to_a_commit_is_lost_and_it_did_not_happen():
    world = World()
    process = world.process(mishaps={("commit", 0): Mishap.LOST})
    run(step_once(world, process))
    assert len(world.memory.commits) == 1
    assert process.calls["commit"] == 2
    assert len(world.broker.published) == 1


def test_the_answer_to_a_commit_is_lost_and_the_database_is_away_for_a_while_after_that():
    for happened in (Mishap.UNANSWERED, Mishap.LOST):
        world = World()
        process = world.process(
            mishaps={("commit", 0): happened, ("read_lane", 0): Mishap.REFUSED, ("commit", 1): Mishap.REFUSED}
        )
        run(step_once(world, process))
        assert len(world.memory.commits) == 1
        assert len(world.broker.published) == 1


def test_the_answer_to_a_commit_is_lost_and_another_worker_has_the_lane():
    async def scenario(world: World, process: Process) -> None:
        step = asyncio.ensure_future(step_once(world, process))
        await until(lambda: process.calls["commit"])
        world.take_over(HERE, owner="worker-2")
        await step

    world = World()
    process = world.process(delay=0.001, mishaps={("commit", 0): Mishap.LOST})
    with pytest.raises(LaneLostError):
        run(scenario(world, process))
    assert world.broker.published == []


def test_a_commit_that_did_not_happen_is_not_taken_for_one_after_the_same_worker_has_taken_the_lane_over_again():
    async def scenario(world: World, process: Process) -> None:
        step = asyncio.ensure_future(step_once(world, process))
        await until(lambda: process.calls["commit"])
        world.take_over(HERE)
        await step

    world = World()
    process = world.process(delay=0.001, mishaps={("commit", 0): Mishap.LOST})
    with pytest.raises(LaneLostError):
        run(scenario(world, process))
    assert world.broker.published == []


def test_a_lane_that_another_worker_has_taken_over_is_lost_and_nothing_is_published():
    async def scenario(world: World, process: Process) -> None:
        state = world.take_over(HERE)
        world.take_over(HERE, owner="worker-2")
        await world.step(process).run(state, one_note(world), asyncio.Event())

    world = World()
    with pytest.raises(LaneLostError):
        run(scenario(world, world.process()))
    assert world.memory.commits == []
    assert world.broker.published == []


@pytest.mark.parametrize("call", ["append", "load", "commit", "publish", "delete_outbox"])
@pytest.mark.parametrize("mishap", [Mishap.REFUSED, Mishap.LOST, Mishap.UNANSWERED])
def test_every_call_is_tried_again_until_it_succeeds(call, mishap):
    world = World()
    process = world.process(mishaps={(call, n): mishap for n in range(5)} if call != "commit" else {(call, 0): mishap})
    run(step_once(world, process))
    assert len(world.memory.commits) == 1
    assert world.broker.outputs() == {(row.topic, row.key, row.value) for row in world.memory.commits[0].outbox}
    assert not world.memory.outbox(world.lane(HERE), 10)


@pytest.mark.parametrize("call", ["append", "load", "commit", "publish", "delete_outbox"])
@pytest.mark.parametrize("mishap", [Mishap.REFUSED, Mishap.LOST])
def test_a_call_that_fails_beyond_the_retry_budget_is_given_up_as_transient(call, mishap):
    async def scenario() -> float:
        with pytest.raises(Transient):
            await step_once(world, process)
        return asyncio.get_running_loop().time()

    world = World()
    process = world.process(budget=30.0, mishaps={(call, n): mishap for n in range(10_000)})
    assert 30.0 <= run(scenario()) < 33.0


@pytest.mark.parametrize("call", ["append", "load", "commit", "publish", "delete_outbox"])
def test_a_revocation_cuts_retries_short_within_a_second(call):
    async def scenario() -> float:
        loop, revoked = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(20.0, revoked.set)
        with pytest.raises(LaneLostError):
            await step_once(world, process, revoked)
        return loop.time()

    world = World()
    process = world.process(budget=3_600.0, mishaps={(call, n): Mishap.REFUSED for n in range(10_000)})
    # at once, not when the pause between two tries is over
    assert 20.0 <= run(scenario()) <= 20.01


def test_a_raw_append_under_way_when_the_step_fails_does_no_harm():
    # a thread cannot be cancelled: its request lands later, and the same records come again
    async def scenario(world: World) -> None:
        process = world.process(delays={"append": 5.0}, mishaps={("load", 0): Mishap.REFUSED}, budget=0.0)
        with pytest.raises(Transient):
            await step_once(world, process)
        assert world.kept.appended == []
        await asyncio.sleep(10)
        assert len(world.kept.appended) == 1
        state = world.take_over(HERE)
        batch = world.batch("notes", HERE, 0, 10)
        assert batch is not None
        await world.step(world.process()).run(state, batch, asyncio.Event())

    world = World()
    run(scenario(world))
    assert len(world.kept.records) == 1
    assert len(world.memory.commits) == 1


def test_a_batch_that_was_applied_already_writes_nothing():
    async def scenario() -> None:
        state, step = world.take_over(HERE), world.step(world.process())
        batch = one_note(world)
        await step.run(state, batch, asyncio.Event())
        await step.run(state, batch, asyncio.Event())

    world = World()
    run(scenario())
    assert len(world.memory.commits) == 1
    assert len(world.kept.appended) == 1


def test_of_a_batch_that_was_applied_in_part_only_the_rest_is_applied():
    async def scenario() -> None:
        state, step = world.take_over(HERE), world.step(world.process())
        await step.run(state, one_note(world), asyncio.Event())
        one_note(world, amount=5)
        whole = world.batch("notes", HERE, 0, 10)
        assert whole is not None
        await step.run(state, whole, asyncio.Event())

    world = World()
    run(scenario())
    assert world.memory.lane_rows[world.lane(HERE)].counts["notes.in"] == 2
    assert [(step.first_offset, step.last_offset) for step in world.memory.step_rows[world.lane(HERE)]] == [
        (0, 0),
        (1, 1),
    ]


def test_an_event_that_the_model_refuses_does_not_claim_its_id_before_later_ones_of_its_batch():
    async def scenario() -> None:
        state = world.take_over(HERE)
        for event_id, do in (("a", "reject"), ("a", ""), ("a", ""), ("b", "reject"), ("b", "reject"), ("b", "")):
            one_note(world, event_id=event_id, do=do)
        whole = world.batch("notes", HERE, 0, 10)
        assert whole is not None
        await world.step(process).run(state, whole, asyncio.Event())

    world = World()
    process = world.process()
    run(scenario())
    counts = world.memory.lane_rows[world.lane(HERE)].counts
    assert (counts["notes.applied"], counts["notes.duplicate"], counts["notes.invalid"]) == (2, 1, 3)
