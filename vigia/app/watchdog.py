"""Ends the worker when a lane has records to apply and applies none: something hangs that no timeout has caught.

It looks from a thread of its own, so that it also sees a model that holds up the event loop. The supervisor starts the
worker again, and the lane goes on at what was committed.
"""

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import CoroutineType, FrameType
from typing import Any, NoReturn

from vigia.app.vitals import Unread
from vigia.stores.base import LaneId
from vigia.streaming.failure import EXIT_TRANSIENT, Ending
from vigia.streaming.glance import Glance

LOOK_EVERY = 1.0
"""Seconds between looks."""

SHOWN_FRAMES = 12


class Watchdog:
    """`glance` gives the lanes, `unread` those with records on the broker that nobody has fetched, `queued` says
    whether calls wait for a free thread while others are being finished.

    A lane gets on when its version rises, and when it brings an attempt to an end (`Glance.moves`). A stopped lane
    waits for a person, and a lost one for its end: neither is stuck. Nor is a lane whose calls wait their turn, or
    whose records are not fetched because another lane takes nothing more for now. Time in which this process did not
    run (it was suspended) does not count, nor time in which it is not known what waits on the broker: `unread` older
    than `known_for` (s).
    """

    def __init__(
        self,
        glance: Callable[[], list[Glance]],
        unread: Callable[[], Unread],
        queued: Callable[[], bool],
        stuck_after: float,
        known_for: float,
        end: Ending,
        clock: Callable[[], float],
    ) -> None:
        self._glance = glance
        self._unread = unread
        self._queued = queued
        self._stuck_after = stuck_after
        self._known_for = known_for
        self._end = end
        self._clock = clock
        self._looked_at = clock()
        self._marks: dict[LaneId, tuple[int, int]] = {}
        self._waited: dict[LaneId, float] = {}

    def look(self) -> None:
        """Look at all lanes once; ends the process when one of them is stuck."""
        now = self._clock()
        passed, self._looked_at = min(now - self._looked_at, 2 * LOOK_EVERY), now
        unread, glances = self._unread(), self._glance()
        known = now - unread.at <= self._known_for and not any(each.full for each in glances)
        waited = {}
        for each in glances:
            lane = each.row.lane
            if each.row.stopped or each.lost or self._marks.get(lane) != _mark(each):
                continue
            if each.holds or (known and lane in unread.lanes):
                waited[lane] = self._waited.get(lane, 0.0) + passed
            elif not known and lane in self._waited:
                waited[lane] = self._waited[lane]
        self._marks = {each.row.lane: _mark(each) for each in glances}
        self._waited = waited
        stuck = sorted((lane for lane, seconds in waited.items() if seconds > self._stuck_after), key=str)
        if stuck and not self._queued():
            self._bark(stuck, {each.row.lane: each for each in glances})

    def _bark(self, stuck: list[LaneId], glances: dict[LaneId, Glance]) -> NoReturn:
        lines = [f"lanes that have records and have applied none for {self._stuck_after:g} s:"]
        for lane in stuck:
            each = glances[lane]
            place = awaits_of(each.task) if each.holds and each.task else "its records were not fetched"
            lines.append(f"lane {lane} is stuck after step {each.row.step}: {place}")
        lines += ["what the threads are doing:", *threads_at()]
        self._end(EXIT_TRANSIENT, "\n".join(lines))


def _mark(glance: Glance) -> tuple[int, int]:
    return glance.row.version, glance.moves


def awaits_of(task: "asyncio.Task[Any]") -> str:
    """Return where a task waits: its coroutines from the outermost to the innermost, as far as they can be followed."""
    places = [f"{frame.f_code.co_qualname} (line {frame.f_lineno})" for frame in _frames(task.get_coro())]
    return "it waits in " + " > ".join(places) if places else "nobody knows where it waits"


def _frames(awaited: Any) -> Iterator[FrameType]:
    while isinstance(awaited, CoroutineType) and awaited.cr_frame is not None:
        yield awaited.cr_frame
        awaited = awaited.cr_await


def threads_at() -> list[str]:
    """Return what each thread of this process but this one is executing: of a hanging call, its place."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    me = threading.get_ident()
    lines = []
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - there is no public way to other threads' frames
        if ident != me:
            lines.append(f"thread {names.get(ident, ident)}:")
            lines += [line.rstrip() for line in traceback.format_stack(frame)[-SHOWN_FRAMES:]]
    return lines
