"""One lane, step by step: the records of each step go through the very `Step` that workers run, in the same cuts.

What happened to a lane between its steps is found again in what the live database keeps: that it went over to a new
broker (`steps.cluster_id`), that a person released it after a flood (it went on), and what was set aside because the
model failed on it (`set_aside`).
"""

import asyncio
import traceback
from collections.abc import Callable, Iterator, Mapping

import msgspec

from scripts.rebuilding.errors import RebuildStopped
from scripts.rebuilding.records import StepRecords, place_of
from scripts.rebuilding.set_aside import SetAside
from vigia.stores.base import LaneId, LaneRow, RawLog, StepCommit, StepRow, Summaries
from vigia.stores.errors import StoreError
from vigia.stores.records import Records
from vigia.streaming.batches import Batch
from vigia.streaming.failure import LaneLostError
from vigia.streaming.lane_state import LaneState
from vigia.streaming.ownership import Cluster, adopt
from vigia.streaming.step import Step

OWNER = "rebuild"
STEPS_AT_ONCE = 1_000


def steps_between(live: Summaries, lane: LaneId, after: int, last: int) -> Iterator[StepRow]:
    """Return the steps after `after` up to `last`, in order; raises RebuildStopped when one is missing."""
    while after < last:
        found = live.steps(lane, after, min(STEPS_AT_ONCE, last - after))
        for step in found:
            if step.sequence != after + 1:
                break
            yield step
            after += 1
        if not found or found[-1].sequence != after:
            raise RebuildStopped(
                f"lane {lane.agent}/{lane.partition}: the live database has no row of step {after + 1} in `steps`, "
                f"but the lane has done {last}; what cannot be put in order cannot be rebuilt"
            )


class LaneReplay:
    """Brings one lane of the rebuilt database to where the live lane `target` stood."""

    def __init__(self, target: LaneRow, step: Step, live: Summaries, rebuilt: Summaries, aside: SetAside) -> None:
        self._target = target
        self._lane = target.lane
        self._step = step
        self._live = live
        self._rebuilt = rebuilt
        self._aside = aside
        self._never_revoked = asyncio.Event()

    async def run(self, raw_log: RawLog, cache_entries: int, done: Callable[[StepRow, int], None]) -> None:
        """Replay what is missing; `done` is told of each step and how many records it had."""
        target, lane = self._target, self._lane
        state = LaneState(self._acquired(), cache_entries, self._rebuilt.next_due(lane), {})
        records = StepRecords(raw_log, lane)
        try:
            for step in steps_between(self._live, lane, state.row.step, target.step):
                done(step, await self._replay(state, step, records))
        finally:
            records.close()
        self._adopt(state, target.cluster_id)
        self._begin(state, target.offsets)
        self._rebuilt.keep_topic_ids(lane, self._live.topic_ids(lane))
        if not target.stopped:
            self._release(state)

    def _acquired(self) -> LaneRow:
        """Take the lane of the rebuilt database over, so that another rebuild at work on it conflicts."""
        target, lane = self._target, self._lane
        first = next(iter(self._live.steps(lane, 0, 1)), None)
        cluster = target.cluster_id if first is None else first.cluster_id
        row = self._rebuilt.acquire(lane, OWNER, cluster, target.partition_count)
        if row.step:
            last = self._rebuilt.steps(lane, row.step - 1, 1)
            if row.step > target.step or last != self._live.steps(lane, row.step - 1, 1):
                raise RebuildStopped(
                    f"lane {lane.agent}/{lane.partition}: the rebuilt database stands at step {row.step}, which the "
                    "live one has not done like that: it belongs to another past. Begin anew with `run --fresh`."
                )
        return row

    async def _replay(self, state: LaneState, step: StepRow, records: StepRecords) -> int:
        self._adopt(state, step.cluster_id)
        self._release(state)
        found = records.of(step)
        batch = Batch(step.topic, self._lane.partition, 0, step.first_offset, Records.of(found))
        quarantine = self._aside.record(step) if len(found) == 1 else ""
        try:
            await self._step.run(state, batch, self._never_revoked, quarantine, self._aside.timers(step))
        except LaneLostError as error:
            raise RebuildStopped(f"{place_of(self._lane, step)}: another rebuild is at work: {error}") from error
        except StoreError:
            raise
        except Exception as error:
            raise RebuildStopped(
                f"{place_of(self._lane, step)}: this release fails on what was applied:\n{traceback.format_exc()}"
            ) from error
        if (state.row.step, state.row.clock) != (step.sequence, step.clock):
            raise RebuildStopped(
                f"{place_of(self._lane, step)}: the lane's clock was {step.clock!r}, and is {state.row.clock!r} after "
                f"step {state.row.step} here: the raw log has other records than were applied"
            )
        return len(found)

    def _adopt(self, state: LaneState, cluster_id: str) -> None:
        """Go over to another broker, as the lane did when its broker was started anew."""
        adopted = adopt(state.row, Cluster(cluster_id, ephemeral=True), state.row.partition_count)
        if adopted is not state.row:
            row = msgspec.structs.replace(adopted, version=state.row.version + 1)
            self._rebuilt.commit(StepCommit(row, state.row.version, None))
            state.row = row

    def _begin(self, state: LaneState, offsets: Mapping[str, int]) -> None:
        """Take over where the live lane begins to read the topics that no step has read yet."""
        if offsets.keys() <= state.row.offsets.keys():
            return
        row = state.row
        begun = msgspec.structs.replace(row, version=row.version + 1, offsets={**offsets, **row.offsets})
        self._rebuilt.commit(StepCommit(begun, row.version, None))
        state.row = begun

    def _release(self, state: LaneState) -> None:
        """Let a lane that a flood has stopped go on: the live one did, so a person has released it."""
        if state.row.stopped and self._rebuilt.release(self._lane):
            row = self._rebuilt.read_lane(self._lane)
            assert row is not None, self._lane  # noqa: S101 - it has just been released
            state.row = row
