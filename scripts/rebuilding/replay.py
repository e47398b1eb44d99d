"""One lane, step by step: the records of each step go through the very `Step` that workers run, in the same cuts.

What happened to a lane between its steps is found again in what the live database keeps: that it went over to a new
broker (`steps.cluster_id`), that a person released it after a flood (it went on) or moved it to another offset
(`interventions`), and what was set aside because the model failed on it (`set_aside`).
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping

import msgspec

from scripts.rebuilding.errors import RebuildStopped
from scripts.rebuilding.past import Act, act_at, past
from scripts.rebuilding.records import StepRecords, place_of
from scripts.rebuilding.set_aside import SetAside
from vigia.stores.base import LaneRow, RawLog, StepCommit, StepRow
from vigia.stores.errors import StoreError
from vigia.stores.records import Records
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.summaries import SqlSummaries
from vigia.streaming.batches import Batch
from vigia.streaming.failure import LaneLostError
from vigia.streaming.lane_state import LaneState
from vigia.streaming.ownership import Cluster, adopt
from vigia.streaming.step import Step

OWNER = "rebuild"


class LaneReplay:
    """Brings one lane of the rebuilt database to where the live lane `target` stood."""

    def __init__(self, target: LaneRow, step: Step, live: SqlSummaries, rebuilt: SqlSummaries, aside: SetAside) -> None:
        self._target = target
        self._lane = target.lane
        self._step = step
        self._live = live
        self._rebuilt = rebuilt
        self._aside = aside
        self._never_revoked = asyncio.Event()

    async def run(self, raw_log: RawLog, cache_entries: int, done: Callable[[Act, int], None]) -> None:
        """Replay what is missing; `done` is told of each act and how many records it had."""
        target = self._target
        state = await self._replayed(target.step, target.partition_count, raw_log, cache_entries, done)
        self._adopt(state, target.cluster_id)
        self._begin(state, target.offsets)
        self._rebuilt.keep_topic_ids(self._lane, self._live.topic_ids(self._lane))
        if not target.stopped:
            self._release(state)

    async def run_to(
        self, end: Intervention, raw_log: RawLog, cache_entries: int, done: Callable[[Act, int], None]
    ) -> None:
        """Replay what is missing before a repartition."""
        state = await self._replayed(end.sequence - 1, end.before, raw_log, cache_entries, done)
        # no lane was stopped then: a person had released it
        self._release(state)

    async def _replayed(
        self, last: int, partition_count: int, raw_log: RawLog, cache_entries: int, done: Callable[[Act, int], None]
    ) -> LaneState:
        lane = self._lane
        row = self._acquired(last, partition_count)
        state = LaneState(row, cache_entries, self._rebuilt.next_due(lane), {})
        records = StepRecords(raw_log, lane)
        try:
            for act in past(self._live, lane, row.step, last):
                if isinstance(act, StepRow):
                    done(act, await self._replay(state, act, records))
                else:
                    self._move(state, act)
                    done(act, 0)
        finally:
            records.close()
        return state

    def _acquired(self, last: int, partition_count: int) -> LaneRow:
        """Take the lane of the rebuilt database over, so that another rebuild at work on it conflicts."""
        target, lane = self._target, self._lane
        first = next(iter(self._live.steps(lane, 0, 1)), None)
        cluster = target.cluster_id if first is None else first.cluster_id
        row = self._rebuilt.acquire(lane, OWNER, cluster, partition_count)
        if row.step:
            made = act_at(self._rebuilt, lane, row.step)
            if row.step > last or made != act_at(self._live, lane, row.step):
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

    def _move(self, state: LaneState, done: Intervention) -> None:
        """Take the lane to another offset, as a person did."""
        state.row = self._rebuilt.move_lane(state.row, done, forget_topic=False)

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
