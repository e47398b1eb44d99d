"""The fakes are worth what they promise: the same history leaves real stores and fakes with the same content."""

import asyncio
from pathlib import Path

import pytest

from tests.support.fakes.clock import NothingLeftError, run, until
from tests.support.fakes.raw_log import MemoryRawLog
from tests.support.fakes.summaries import MemorySummaries
from tests.support.fakes.world import CLUSTER, World
from tests.unit.streaming.histories import HERE, Cutter, arrive
from tests.unit.streaming.playing import play
from tests.unit.streaming.test_step_crashes import FULL, FULL_SIZES
from vigia.events.summaries import WindowSummary
from vigia.stores.base import RawLog, Summaries
from vigia.stores.errors import Conflict
from vigia.stores.raw import open_raw_log
from vigia.stores.sql.summaries import open_summaries
from vigia.streaming.failure import LaneLostError


def filled(summaries: Summaries, raw_log: RawLog) -> World:
    summaries.migrate()
    raw_log.migrate()
    world = World(summaries=summaries, raw_log=raw_log)
    arrive(world, FULL)
    run(play(world, world.process(), Cutter(world, FULL_SIZES).batches()))
    return world


def content(world: World, like: MemorySummaries) -> dict[str, object]:
    """All that can be asked for, about what the fake is known to hold."""
    summaries, lane = world.summaries, world.lane(HERE)
    windows = [(WindowSummary, key[1:]) for key in like.summary_rows]
    loaded = summaries.load(lane, sorted(like.states[lane]), sorted(like.seen[lane]))
    return {
        "lane": summaries.read_lane(lane),
        "lanes": summaries.lanes(),
        "states": dict(loaded.states),
        "seen": dict(loaded.seen),
        "timers": summaries.due(lane, 1e12, 1_000),
        "next due": summaries.next_due(lane),
        "rows": summaries.rows(windows),
        "steps": summaries.steps(lane, 0, 1_000),
        "outbox": summaries.outbox(lane, 1_000),
        "letters": summaries.dead_letters("open", 1_000),
        "raw": [record for topic in ("notes", "more") for record in world.raw_log.read(CLUSTER, topic, HERE, 0)],
    }


def test_the_step_leaves_the_same_in_sqlite_as_in_the_fakes(tmp_path: Path):
    fake = filled(MemorySummaries(), MemoryRawLog())
    summaries = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    raw_log = open_raw_log(f"sqlite:///{tmp_path}/raw.db")
    try:
        real = filled(summaries, raw_log)
        assert content(real, fake.memory) == content(fake, fake.memory)
        assert real.broker.outputs() == fake.broker.outputs()
        # and the same happens to a worker that has lost its lane
        for world in (real, fake):
            stale = world.take_over(HERE)
            world.take_over(HERE, "worker-2")
            world.broker.append("notes", b"{", at=world.began, partition=HERE)
            batch = world.batch("notes", HERE, stale.next_offset("notes"), 10)
            assert batch is not None
            with pytest.raises(LaneLostError) as lost:
                run(world.step(world.process()).run(stale, batch, asyncio.Event()))
            assert isinstance(lost.value.__cause__, Conflict)
    finally:
        summaries.close()
        raw_log.close()


def test_waiting_takes_no_time_and_happens_in_order():
    async def scenario() -> list[int]:
        order = []

        async def note(number: int, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(number)

        await asyncio.gather(note(1, 86_400.0), note(2, 3.0), note(3, 0.0))
        return order

    assert run(scenario()) == [3, 2, 1]


def test_what_could_only_wait_for_ever_fails_at_once():
    with pytest.raises(NothingLeftError):
        run(asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        run(until(lambda: False, within=0.1))
