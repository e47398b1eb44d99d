"""The kernel of a rebuild: the raw log, read in the order of `steps` through the same step, gives the same stores."""

import asyncio
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.clock import run
from tests.support.fakes.world import World
from tests.unit.streaming.histories import HERE, WITHOUT_TIMERS, sendings, sizes
from tests.unit.streaming.playing import played
from tests.unit.streaming.test_step_crashes import crashes
from vigia.stores.records import Records
from vigia.streaming.batches import Batch


def replayed(world: World) -> Iterator[Batch]:
    """What each step applied, from the raw log alone."""
    for step in world.memory.step_rows[world.lane(HERE)]:
        records = world.kept.read(step.cluster_id, step.topic, HERE, step.first_offset, step.last_offset)
        yield Batch(step.topic, HERE, 1, step.first_offset, Records.of(list(records)))


def rebuilt(world: World) -> World:
    """New stores, filled from the raw log of others."""

    async def replay() -> None:
        state, step = after.take_over(HERE), after.step(after.process())
        for batch in replayed(world):
            await step.run(state, batch, asyncio.Event())

    after = World()
    run(replay())
    return after


@settings(max_examples=60)
@given(history=sendings(), cuts=sizes, mishaps=st.lists(crashes, max_size=2))
def test_a_rebuild_from_the_raw_log_equals_what_it_was_filled_beside(history, cuts, mishaps):
    live = played(history, cuts, *mishaps)
    again = rebuilt(live)
    assert again.memory.everything() == live.memory.everything()
    assert again.kept.content() == live.kept.content()
    assert again.broker.outputs() == live.broker.outputs()


def insensitive(world: World) -> dict[str, Any]:
    """What must not depend on how records were cut into batches."""
    found = world.memory.effects()
    for lane, row in found.pop("lanes").items():
        found[lane] = (row.offsets, row.counts, row.clock)
    return found


# a row is either written whole or corrected here: a write after a correction is merged with it only within one batch
CUT_ANYWHERE = [*(do for do in WITHOUT_TIMERS if do != "write"), "reject", "reject"]


@settings(max_examples=60)
@given(history=sendings(do=CUT_ANYWHERE), one=sizes, other=sizes)
def test_how_records_of_a_topic_are_cut_into_batches_does_not_matter_without_timers(history, one, other):
    # topics come in turn, so that only one topic keeps its order in every cut
    single = [sending._replace(topic="notes") for sending in history]
    assert insensitive(played(single, one)) == insensitive(played(single, other))
