"""Plays batches through the step, in one process or in several that crash one after the other."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.fakes.clock import run
from tests.support.fakes.process import Crash, Process
from tests.support.fakes.world import World
from tests.unit.streaming.histories import HERE, Cutter, Sending, arrive
from vigia.streaming.batches import Batch


async def play(world: World, process: Process, batches: Iterable[Batch], owner: str = "worker-1") -> None:
    """Take the lane over and apply the batches, as a lane does."""
    state, step, revoked = world.take_over(HERE, owner), world.step(process), asyncio.Event()
    await step.publish_leftovers(state, revoked)
    for batch in batches:
        await step.run(state, batch, revoked)


def played(history: Sequence[Sending], sizes: Sequence[int], *crashing: dict[str, Any], **world: Any) -> World:
    """Play a history in processes that crash as told, and a last one that does not; return what is left."""
    after = World(**world)
    arrive(after, history)
    batches = list(Cutter(after, sizes).batches())

    async def lives() -> None:
        for number, mishap in enumerate(crashing):
            try:
                await play(after, after.process(**mishap), batches, f"worker-{number}")
            except Crash:
                continue
        await play(after, after.process(), batches, "last worker")

    run(lives())
    return after


def left_by(world: World) -> dict[str, Any]:
    """Everything that two runs are compared by."""
    elsewhere = {
        (record.topic, record.partition, record.key, record.value, record.headers)
        for (_, number), log in world.broker.logs.items()
        if number != HERE
        for record in log
    }
    return {
        **world.memory.everything(),
        "raw": world.kept.content(),
        "published": world.broker.outputs(),
        "sent on": elsewhere,
    }
