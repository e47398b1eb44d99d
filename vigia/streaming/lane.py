"""A lane at work: takes batches in order, applies them one step at a time, ticks when idle, and ends on failure.

One task a lane. Whatever goes wrong, it never acknowledges a batch that was not committed.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from vigia.events.effects import Timer
from vigia.stores.base import LaneId
from vigia.stores.errors import Transient, Unusable
from vigia.stores.records import Records
from vigia.streaming.batches import Batch, cut_at
from vigia.streaming.compute import TimerFailedError
from vigia.streaming.crash_points import Point
from vigia.streaming.failure import EXIT_BUG, EXIT_NEEDS_PERSON, EXIT_TRANSIENT, LaneLostError
from vigia.streaming.glance import Glance
from vigia.streaming.lane_state import LaneState
from vigia.streaming.ports import Ports
from vigia.streaming.step import Step

T = TypeVar("T")
logger = logging.getLogger(__name__)

TICK_AGAIN_AFTER = 10.0
"""Seconds after which a tick that has not come back is sent again."""

RELEASE_POLL = 1.0
"""Seconds between looks at whether a stopped lane was released."""

MAX_TRACEBACK = 6_000


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much a lane takes at once, how long it idles before a tick, and when a failing batch is bisected."""

    step_max_records: int
    step_max_bytes: int
    queue_batches: int
    tick_after: float
    attempts_before_quarantine: int
    lost_grace: float
    """Seconds that a lost lane may stay assigned to us before the process ends."""


class Flow(Protocol):
    """The consumer, as a lane sees it."""

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        """Read this partition from `offset` on."""

    async def log_end(self, topic: str, partition: int) -> int:
        """Ask the broker which offset the partition's next record will get."""

    def pause(self, topic: str, partition: int) -> None:
        """Fetch no more from this partition."""

    def resume(self, topic: str, partition: int) -> None:
        """Fetch from this partition again."""


Work = tuple[Batch, Callable[[], object]]


class Lane:
    """One lane while it is ours, in one generation of the consumer group."""

    def __init__(
        self, lane: LaneId, state: LaneState, step: Step, ports: Ports, limits: LaneLimits, flow: Flow
    ) -> None:
        self.id = lane
        self.state = state
        self.revoked = asyncio.Event()
        self._step = step
        self._ports = ports
        self._limits = limits
        self._flow = flow
        self._queue: asyncio.Queue[Work] = asyncio.Queue(limits.queue_batches)
        self._carried: Work | None = None
        self._under_way: Batch | None = None
        self._busy = 0.0
        self._task: asyncio.Task[Any] | None = None
        self._checked: set[str] = set()
        self._lost = False

    def glance(self) -> Glance:
        """Return how the lane is now; may be called from any thread."""
        state, under_way, carried = self.state, self._under_way, self._carried
        first = under_way or (carried[0] if carried else None)
        return Glance(
            row=state.row,
            next_offsets={topic.name: state.next_offset(topic.name) for topic in self._step.route.topics},
            holds=first is not None or self._queue.qsize() > 0,
            oldest_at=first.records[0].timestamp / 1000 if first else None,
            lost=self._lost,
            busy=self._busy,
            moves=state.moves,
            full=self._queue.full(),
            task=self._task,
        )

    def revoke(self) -> None:
        """The lane is no longer ours; what is under way is cut short."""
        self.revoked.set()

    async def put(self, batch: Batch, ack: Callable[[], object]) -> None:
        """Hand a batch over; waits while the lane has enough, and drops it when the lane is not ours any more."""
        if self.revoked.is_set() or self._lost or self.state.row.stopped:
            return
        if not self._queue.full():
            self._queue.put_nowait((batch, ack))
            return
        await self._unless_revoked(self._queue.put((batch, ack)))

    async def run(self) -> None:
        """Work until revoked; every other end is the process's end."""
        self._task, clock = asyncio.current_task(), asyncio.get_running_loop().time
        try:
            await self._step.publish_leftovers(self.state, self.revoked)
            while not self.revoked.is_set():
                if self.state.row.stopped:
                    await self._wait_for_release()
                    continue
                work = await self._next_work()
                if work is None:
                    await self._tick_if_due()
                else:
                    self._under_way, began = work[0], clock()
                    await self._apply(*work)
                    self._under_way, self._busy = None, self._busy + clock() - began
        except LaneLostError as error:
            await self._lose(error)
        except Transient as error:
            self._ports.end(EXIT_TRANSIENT, f"lane {self.id}: gave up after the retry budget: {error}")
        except Unusable as error:
            self._ports.end(EXIT_NEEDS_PERSON, f"lane {self.id}: {error}")
        except asyncio.CancelledError:
            if self._task is not None and self._task.cancelling():
                raise
            # what it waited for was cancelled, not the lane: ended without a word, it would block its topics for ever
            self._ports.end(EXIT_BUG, f"lane {self.id}: a wait was cancelled: {traceback.format_exc()}")
        except Exception:  # noqa: BLE001 - a bug anywhere below must end the process, not be acknowledged by Faust
            self._ports.end(EXIT_BUG, f"lane {self.id}: a bug: {traceback.format_exc()}")

    async def _next_work(self) -> tuple[Batch, list[Callable[[], object]]] | None:
        """Return the next batches of one topic as one, with what acknowledges them; None after an idle while."""
        first = self._carried or await self._unless_revoked(self._queue.get(), self._limits.tick_after)
        self._carried = None
        if first is None:
            return None
        batch, ack = first
        parts, acks = [batch.records], [ack]
        next_offset, count, size = batch.next_offset, len(batch.records), batch.records.value_bytes
        while not self._queue.empty():
            more, ack = self._queue.get_nowait()
            count += len(more.records)
            size += more.records.value_bytes
            full = count > self._limits.step_max_records or size > self._limits.step_max_bytes
            if full or more.topic != batch.topic or more.start != next_offset:
                self._carried = (more, ack)
                break
            parts.append(more.records)
            acks.append(ack)
            next_offset = more.next_offset
        return replace(batch, records=Records.joined(parts)), acks

    async def _apply(self, batch: Batch, acks: list[Callable[[], object]]) -> None:
        stored = self.state.next_offset(batch.topic)
        if batch.start > stored:
            # something between was fetched and lost on its way here: read it again
            logger.warning(
                "lane %s: %s continues at %d, not %d; reading again", self.id, batch.topic, stored, batch.start
            )
            self._drop_queued(batch.topic)
            await self._flow.seek(batch.topic, self.id.partition, stored)
            return
        if (
            batch.topic not in self._checked
            and await self._attempts(batch) + 1 >= self._limits.attempts_before_quarantine
        ):
            logger.error("lane %s: %s failed too often at offset %s: bisecting", self.id, batch.topic, stored)
            await self._bisect(batch)
        else:
            await self._run_counted(batch)
        self._checked.add(batch.topic)
        self.state.tick_pending_since = None
        if self.state.next_offset(batch.topic) < batch.next_offset:
            return  # a flood stopped the lane between two halves: the rest is read again once it is released
        for ack in acks:
            ack()
        self._ports.crash_points.reached(Point.ACKNOWLEDGED)

    async def _run_counted(self, batch: Batch) -> None:
        try:
            await self._step.run(self.state, batch, self.revoked)
        except (LaneLostError, Transient, Unusable, asyncio.CancelledError):
            raise
        except Exception as error:
            # before anything else can fail
            logger.exception("lane %s: a bug at a step of %s", self.id, batch.topic)
            offset, said = self.state.row.offsets.get(batch.topic, 0), repr(error)
            record = self._ports.summaries.record_attempt
            await self._ports.retry.run(
                "count an attempt",
                lambda: self._ports.offload(record, self.id, batch.topic, offset, said),
                self.revoked,
            )
            raise

    async def _attempts(self, batch: Batch) -> int:
        offset = self.state.row.offsets.get(batch.topic, 0)
        read = self._ports.summaries.attempts
        return await self._ports.retry.run(
            "count attempts", lambda: self._ports.offload(read, self.id, batch.topic, offset), self.revoked
        )

    async def _bisect(self, batch: Batch) -> None:
        """Apply what can be applied. A record that the model fails on even alone is set aside as a dead letter with its
        traceback; so is a timer.
        """
        quarantine, dropped = "", dict[Timer, str]()
        while True:
            # each look for the culprit ends, if only after hundreds of attempts, so it must not be taken for stuck
            self.state.moves += 1
            try:
                await self._step.run(self.state, batch, self.revoked, quarantine, dropped)
            except (LaneLostError, Transient, Unusable, asyncio.CancelledError):
                raise
            except TimerFailedError as error:
                self.state.cache.clear()
                if error.failed.keys() <= dropped.keys():
                    raise
                logger.exception("lane %s: %d timers are set aside", self.id, len(error.failed))
                dropped |= {timer: _told(why) for timer, why in error.failed.items()}
            except Exception:
                self.state.cache.clear()
                applied = self.state.row.offsets.get(batch.topic, 0) >= batch.next_offset
                if quarantine or applied:
                    raise
                if len(batch.records) > 1:
                    break
                quarantine = traceback.format_exc()[-MAX_TRACEBACK:]
                logger.exception("lane %s: %s offset %d is set aside", self.id, batch.topic, batch.records[0].offset)
            else:
                return
        first, rest = cut_at(batch, [len(batch.records) // 2])
        await self._bisect(first)
        if not self.state.row.stopped:
            await self._bisect(rest)

    async def _tick_if_due(self) -> None:
        state, now = self.state, self._ports.now()
        if state.next_due is None or state.next_due > now:
            return
        if state.tick_pending_since is not None and now - state.tick_pending_since < TICK_AGAIN_AFTER:
            return
        state.tick_pending_since = now
        topic = self._step.route.topics[0].name
        await self._ports.retry.run(
            "send a tick", lambda: self._ports.publisher.tick(topic, self.id.partition), self.revoked
        )

    async def _wait_for_release(self) -> None:
        """Hold the lane still until a person has released it, then go on where it stopped."""
        logger.error(
            "lane %s is stopped: %s; release it with `python -m scripts.dead_letters accept %s --yes`",
            self.id,
            self.state.row.stopped,
            self.id,
        )
        topics = [topic.name for topic in self._step.route.topics]
        for topic in topics:
            self._flow.pause(topic, self.id.partition)
        self._drop_queued()
        read = self._ports.summaries.read_lane
        while self.state.row.stopped:
            await self._unless_revoked(asyncio.sleep(RELEASE_POLL))
            if self.revoked.is_set():
                return
            row = await self._ports.retry.run("read the lane", lambda: self._ports.offload(read, self.id), self.revoked)
            if row is None or row.owner != self.state.row.owner:
                raise LaneLostError(f"lane {self.id} was taken over while it was stopped")
            self.state.row = row
        logger.warning("lane %s was released", self.id)
        for topic in topics:
            await self._flow.seek(topic, self.id.partition, self.state.next_offset(topic))
            self._flow.resume(topic, self.id.partition)

    async def _lose(self, error: LaneLostError) -> None:
        """Drop everything; if the group goes on to believe that the lane is ours, end and join it anew."""
        self._lost = True
        self._drop_queued()
        if self.revoked.is_set():
            return
        logger.warning("lane %s is lost: %s", self.id, error)
        await self._unless_revoked(asyncio.sleep(self._limits.lost_grace))
        if not self.revoked.is_set():
            self._ports.end(EXIT_TRANSIENT, f"lane {self.id} is another worker's, but still assigned here: {error}")

    def _drop_queued(self, topic: str = "") -> None:
        """Drop what waits of one topic, or of all. Other topics' batches are kept: no seek would bring them back."""
        waiting = [self._carried] if self._carried else []
        self._carried = None
        while not self._queue.empty():
            waiting.append(self._queue.get_nowait())
        kept = [work for work in waiting if topic and work[0].topic != topic]
        if kept:
            self._carried = kept[0]
        for work in kept[1:]:
            self._queue.put_nowait(work)

    async def _unless_revoked(self, awaitable: Awaitable[T], timeout: float | None = None) -> T | None:  # noqa: ASYNC109 - None after the timeout is the point
        """Return the result, or None when the lane is revoked or the timeout (s) passes first."""
        task = asyncio.ensure_future(awaitable)
        gone = asyncio.ensure_future(self.revoked.wait())
        try:
            await asyncio.wait({task, gone}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for pending in (task, gone):
                if not pending.done():
                    pending.cancel()


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]
