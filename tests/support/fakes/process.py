"""A worker process as the stream sees it, to which anything can happen at any call or crash point.

A request lands at its store whether or not the process still waits for the answer, as one made by a thread does.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from tests.support.fakes.broker import MemoryBroker
from vigia.stores.base import OutboxRow, RawLog, Summaries
from vigia.stores.errors import Transient, UnknownOutcome
from vigia.streaming.crash_points import Point
from vigia.streaming.failure import Retry
from vigia.streaming.ports import Ports

T = TypeVar("T")

TRANSACTIONS = {"acquire", "commit", "delete_outbox", "record_attempt"}
"""Calls that end with a COMMIT, whose answer may be lost."""


class Crash(BaseException):
    """The process is gone. Not an Exception: nothing that runs in a process survives it to handle it."""


class Ended(BaseException):
    """The process has ended itself, with an exit code and a message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Mishap(StrEnum):
    """What can happen to a call."""

    REFUSED = "refused"
    """Nothing happens, and the caller is told to try again."""
    UNANSWERED = "unanswered"
    """It happens, and the answer is lost."""
    LOST = "lost"
    """It does not happen, and nobody can tell."""
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


Mishaps = Mapping[tuple[str, int], Mishap]
"""(name of the call, its number from 0) -> what happens to it."""


class Process:
    """One worker process; `ports` is the outside as its lanes see it.

    `crash_at` is a crash point and which time it is reached, from 0. `delays` are seconds per name of a call, else
    `delay`. `began` is the wall clock's time when the loop began.
    """

    def __init__(
        self,
        raw_log: RawLog,
        summaries: Summaries,
        broker: MemoryBroker,
        *,
        began: float,
        budget: float = 60.0,
        mishaps: Mishaps | None = None,
        crash_at: tuple[Point, int] | None = None,
        delay: float = 0.001,
        delays: Mapping[str, float] | None = None,
        lands_after_death: bool = False,
    ) -> None:
        self.dead = False
        self.lands_after_death = lands_after_death
        self.trace: list[str] = []
        self._broker = broker
        self._began = began
        self._mishaps = dict(mishaps or {})
        self._crash_at = crash_at
        self._delay = delay
        self._delays = dict(delays or {})
        self._calls: Counter[str] = Counter()
        self._points: Counter[Point] = Counter()
        self.ports = Ports(
            raw_log=raw_log,
            summaries=summaries,
            publisher=self,
            offload=self._offload,
            retry=Retry(budget),
            end=self._end,
            crash_points=self,
            now=self.now,
        )

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each call was made."""
        return self._calls

    @property
    def points(self) -> Mapping[Point, int]:
        """How often each crash point was reached."""
        return self._points

    def now(self) -> float:
        """The wall clock, in epoch seconds."""
        return self._began + asyncio.get_running_loop().time()

    def kill(self) -> None:
        """End without a word; what is under way at a store may land there."""
        self.dead = True

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        await self._call("publish", self._broker.publish, rows, self.now())

    async def tick(self, topic: str, partition: int) -> None:
        await self._call("tick", self._broker.tick, topic, partition, self.now())

    def reached(self, point: Point) -> None:
        self._live()
        times = self._points[point]
        self._points[point] += 1
        self.trace.append(point)
        if self._crash_at == (point, times):
            self.kill()
            raise Crash(point)

    def _offload(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        return self._call(function.__name__, function, *arguments)

    async def _call(self, name: str, function: Callable[..., T], *arguments: object) -> T:
        self._live()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        mishap = self._mishaps.get((name, self._calls[name]))
        self._calls[name] += 1
        loop.call_later(self._delays.get(name, self._delay), self._land, name, mishap, function, arguments, answer)
        return await answer

    def _land(
        self,
        name: str,
        mishap: Mishap | None,
        function: Callable[..., T],
        arguments: tuple[object, ...],
        answer: "asyncio.Future[T]",
    ) -> None:
        """The request reaches its store."""
        result: Any = None
        error: BaseException | None = None
        if not self.dead or self.lands_after_death:
            result, error = self._at_store(name, mishap, function, arguments)
        if self.dead:
            error = error if isinstance(error, Crash) else Crash(name)
        if answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def _at_store(
        self, name: str, mishap: Mishap | None, function: Callable[..., Any], arguments: tuple[object, ...]
    ) -> tuple[Any, BaseException | None]:
        if mishap is Mishap.CRASH_BEFORE:
            return None, self._crash(name)
        if mishap is Mishap.REFUSED:
            return None, Transient(f"{name} was refused")
        if mishap is Mishap.LOST:
            return None, _lost(name)
        try:
            result = function(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever a store raises is the caller's
            return None, error
        self.trace.append(name)
        if mishap is None:
            return result, None
        return None, self._crash(name) if mishap is Mishap.CRASH_AFTER else _lost(name)

    def _crash(self, name: str) -> Crash:
        self.kill()
        return Crash(name)

    def _live(self) -> None:
        if self.dead:
            raise Crash

    def _end(self, code: int, message: str) -> NoReturn:
        self.kill()
        raise Ended(code, message)


def _lost(name: str) -> Exception:
    lost = f"the answer to {name} was lost"
    return UnknownOutcome(lost) if name in TRANSACTIONS else Transient(lost)
