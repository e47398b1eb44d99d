"""The step: what happens to one batch in a lane, in the order that makes it right under every fault.

1. skip what was applied, decode, check; 2. keep the raw events; 3. load states and timers, run the model; 4. commit all
effects in one transaction if the lane is still ours; 5. publish the outbox and delete what the broker acknowledged.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from vigia.events.effects import Changes, States, Timer
from vigia.events.summaries import SUMMARIES, Summary
from vigia.stores.base import Loaded, OutboxRow, RawBatch, StateRow, StepCommit
from vigia.stores.errors import Conflict, Transient, UnknownOutcome
from vigia.streaming.batches import Batch
from vigia.streaming.compute import (
    Computed,
    StepLimits,
    TakenForRepeatsError,
    TimerFailedError,
    build_commit,
    check_repeats,
    fresh_events,
    merged,
    refuse_all,
    roll_up,
    run_model,
    seen_ids,
)
from vigia.streaming.crash_points import Point
from vigia.streaming.failure import LaneLostError
from vigia.streaming.forms import check_readable
from vigia.streaming.intake import Intake, Taken, raw_entries
from vigia.streaming.lane_state import LaneState
from vigia.streaming.ports import Ports
from vigia.streaming.route import Route

MAX_TIMERS = 5_000
"""Most timers that one step fires; the rest fire in the next ones."""

OUTBOX_CHUNK = 1_000

NO_TIMERS: Mapping[Timer, str] = MappingProxyType({})

T = TypeVar("T")


class Step:
    """Runs steps of one route's lanes. Knows no lane: what it needs of one is passed in."""

    def __init__(self, route: Route, intakes: dict[str, Intake], limits: StepLimits, ports: Ports) -> None:
        self.route = route
        self._intakes = intakes
        self._limits = limits
        self._ports = ports

    async def run(
        self,
        state: LaneState,
        batch: Batch,
        revoked: asyncio.Event,
        quarantine: str = "",
        drop: Mapping[Timer, str] = NO_TIMERS,
    ) -> None:
        """Apply one batch; with `quarantine` (why) its events are refused as `model_error` instead of applied.

        Timers in `drop` (with the reason) are removed instead of fired, and each leaves a dead letter. Raises
        LaneLostError when the lane is another worker's, Transient when a store stays away beyond the retry budget, and
        whatever the model raises (TimerFailedError where a timer is to blame); in each case nothing was committed, or
        what was is in `state.row`, and the rest of `state` is no longer to be trusted.
        """
        parts = [batch]
        while parts:
            part = parts.pop()
            try:
                await self._run(state, part, revoked, quarantine, drop)
            except TakenForRepeatsError as error:
                # rare, and what the model has changed in memory cannot be taken back
                state.cache.clear()
                parts += reversed(error.parts)
            if state.row.stopped:
                return

    async def _run(
        self, state: LaneState, batch: Batch, revoked: asyncio.Event, quarantine: str, drop: Mapping[Timer, str]
    ) -> None:
        taken = self.take(state, batch)
        if taken is None:
            return
        if quarantine:
            refuse_all(taken, quarantine)
        self._ports.crash_points.reached(Point.TAKEN)
        raw = asyncio.ensure_future(self._append(state, taken, revoked))
        try:
            commit, states, warnings = await self._compute(state, taken, revoked, drop)
            await raw
        finally:
            # a failure in one half ends the other's retries. A call that a thread has begun goes on and may
            # land later, which changes nothing since appending is idempotent
            raw.cancel()
            await asyncio.gather(raw, return_exceptions=True)
        await self._commit(state, commit, states, revoked)
        for sentence in warnings:
            self._ports.warn(f"lane {state.row.lane}: {sentence}")
        self._ports.crash_points.reached(Point.COMMITTED)
        await self.publish(state, commit.outbox, revoked)

    def take(self, state: LaneState, batch: Batch) -> Taken | None:
        """Return the part of the batch that has not been applied yet, decoded; None when all of it has."""
        next_offset = state.row.offsets.get(batch.topic, 0)
        if batch.records.offsets[0] < next_offset:
            applied = bisect_left(batch.records.offsets, next_offset)
            if applied == len(batch.records):
                return None
            batch = replace(batch, records=batch.records[applied:], start=next_offset)
        return self._intakes[batch.topic].take(batch, state.row.partition_count, state.row.cluster_id)

    async def publish_leftovers(self, state: LaneState, revoked: asyncio.Event) -> None:
        """Publish what an earlier owner committed and did not get to publish."""
        while rows := await self._retry(
            "read the outbox", revoked, self._ports.summaries.outbox, state.row.lane, OUTBOX_CHUNK
        ):
            await self.publish(state, rows, revoked)
            state.moves += 1

    async def publish(self, state: LaneState, rows: Sequence[OutboxRow], revoked: asyncio.Event) -> None:
        """Publish outputs and delete them once the broker has acknowledged them."""
        if not rows:
            return
        await self._ports.retry.run("publish the outbox", lambda: self._ports.publisher.publish(rows), revoked)
        self._ports.crash_points.reached(Point.PUBLISHED)
        numbers = [row.number for row in rows]
        await self._retry(
            "delete from the outbox", revoked, self._ports.summaries.delete_outbox, state.row.lane, numbers
        )
        self._ports.crash_points.reached(Point.OUTBOX_DELETED)

    async def _append(self, state: LaneState, taken: Taken, revoked: asyncio.Event) -> None:
        packed = self.route.packed
        batch = taken.batch
        raw = RawBatch(
            state.row.cluster_id, batch.topic, batch.partition, batch.records, raw_entries(taken, packed=packed), packed
        )
        await self._retry("keep raw events", revoked, self._ports.raw_log.append, raw)
        self._ports.crash_points.reached(Point.RAW_APPENDED)

    async def _compute(
        self, state: LaneState, taken: Taken, revoked: asyncio.Event, drop: Mapping[Timer, str]
    ) -> tuple[StepCommit, States[Any], Sequence[str]]:
        model, row = self.route.model, state.row
        clock = max(row.clock, taken.clock)
        due = await self._due(state, clock, revoked)
        timers = [timer for timer in due if timer not in drop]
        dropped = {timer: drop[timer] for timer in due if timer in drop}
        keys = model.keys(taken.events)
        # whose state a timer alone needs: when it cannot be loaded, the timer is to blame
        needed_by = {key: timer for timer in timers for key in model.timer_keys(timer) if key not in keys}
        held, missing = state.cache.split(keys | needed_by.keys())
        ids = seen_ids(self.route, taken)
        loaded = Loaded()
        if missing or ids:
            loaded = await self._retry("load states", revoked, self._ports.summaries.load, row.lane, missing, ids)
        failed: dict[Timer, Exception] = {}
        for key in missing:
            if (stored := loaded.states.get(key)) is not None:
                check_readable(model, stored)
            try:
                held[key] = self._decoded(stored)
            except Exception as error:
                if key not in needed_by:
                    raise
                failed[needed_by[key]] = error
        if failed:
            raise TimerFailedError(failed) from next(iter(failed.values()))
        states = States[Any](held)
        fresh = fresh_events(self.route, taken, loaded.seen)
        changes = run_model(self.route, fresh, timers, clock, states)
        check_repeats(taken, fresh, changes)
        for timer in dropped:
            # an event of this batch may have set it anew
            changes.timers.setdefault((timer.kind, timer.key), None)
        rows = await self._summaries(changes, revoked)
        commit = build_commit(row, self.route, Computed(taken, fresh, changes, states, rows, dropped), self._limits)
        self._ports.crash_points.reached(Point.COMPUTED)
        return commit, states, changes.warnings

    def _decoded(self, stored: StateRow | None) -> Any:
        if stored is None or stored.body is None:
            return None
        return self.route.model.load(stored.key, stored.schema, stored.body)

    async def _due(self, state: LaneState, clock: float, revoked: asyncio.Event) -> list[Timer]:
        if state.next_due is None or state.next_due > clock:
            return []
        return await self._retry("load timers", revoked, self._ports.summaries.due, state.row.lane, clock, MAX_TIMERS)

    async def _summaries(self, changes: Changes, revoked: asyncio.Event) -> list[Summary]:
        wanted = [
            (type(partial), tuple(getattr(partial, name) for name in partial.primary_key))
            for key, partial in changes.corrections.items()
            if key not in changes.summaries
        ]
        existing = await self._retry("load rows", revoked, self._ports.summaries.rows, wanted) if wanted else {}
        merged_rows = merged(self.route, changes, existing)
        # table by table, since what one makes is what the next is made of
        for kind in SUMMARIES if changes.roll_ups else ():
            rolled = [each for each in changes.roll_ups if each.source.kind is kind]
            if rolled:
                ranges = [each.source for each in rolled]
                stored = await self._retry("read rows back", revoked, self._ports.summaries.rows_between, ranges)
                roll_up(rolled, stored, merged_rows)
        return list(merged_rows.values())

    async def _commit(self, state: LaneState, commit: StepCommit, states: States[Any], revoked: asyncio.Event) -> None:
        await self._ports.retry.run("commit the step", lambda: self._try_commit(commit), revoked)
        state.row = commit.lane
        state.cache.update(states.all())
        await self._next_due(state, commit, revoked)

    async def _try_commit(self, commit: StepCommit) -> None:
        summaries, lane = self._ports.summaries, commit.lane
        try:
            await self._ports.offload(summaries.commit, commit)
        except (Conflict, UnknownOutcome) as error:
            # the lane's row says whether this step happened: the answer to COMMIT may have been lost, now or at an
            # earlier try that could not look
            now = await self._ports.offload(summaries.read_lane, lane.lane)
            if now is not None and (now.version, now.step, now.owner) == (lane.version, lane.step, lane.owner):
                return
            if isinstance(error, UnknownOutcome) and now is not None and now.version == commit.expected_version:
                raise Transient("the commit did not happen") from error
            raise LaneLostError(f"lane {lane.lane} was taken over by another worker") from error

    async def _next_due(self, state: LaneState, commit: StepCommit, revoked: asyncio.Event) -> None:
        soonest = min((timer.due for timer in commit.timers_set), default=None)
        if commit.timers_cleared or (state.next_due is not None and state.next_due <= commit.lane.clock):
            state.next_due = await self._retry(
                "look for timers", revoked, self._ports.summaries.next_due, state.row.lane
            )
        elif soonest is not None:
            state.next_due = soonest if state.next_due is None else min(state.next_due, soonest)

    async def _retry(self, what: str, revoked: asyncio.Event, function: Callable[..., T], *arguments: object) -> T:
        return await self._ports.retry.run(what, lambda: self._ports.offload(function, *arguments), revoked)
