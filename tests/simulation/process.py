"""A worker process: its calls to stores and broker land whatever becomes of it meanwhile.

A request travels in the world, its answer in the process. So a request lands after its caller was cancelled, frozen or
killed, as one does that a thread or a socket has on its way, and a frozen process finds its answers when it wakes up.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tests.simulation.loop import OWNER, Handle, Stop
from tests.simulation.weather import Fate, Kind
from tests.support.fakes.process import TRANSACTIONS
from vigia.stores.base import OutboxRow
from vigia.stores.errors import StoreError, Transient, UnknownOutcome
from vigia.streaming.crash_points import Point
from vigia.streaming.failure import Retry
from vigia.streaming.ports import Ports

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")

RETRY_BUDGET = 4.0
PATIENCE = 0.3
"""Seconds after which a caller gives up waiting for an answer."""


class Process:
    """One life of a worker; `ports` is the outside as its lanes see it. Its clock is `skew` seconds ahead."""

    def __init__(self, world: "World", name: str, skew: float) -> None:
        self.name = name
        self.dead = False
        self.frozen: list[Handle] | None = None
        self.pauses = 0
        self.exit_code: int | None = None
        self._world = world
        self._died: list[Callable[[], None]] = []
        self.context = contextvars.copy_context()
        self.context.run(OWNER.set, self)
        self.ports = Ports(
            raw_log=world.raw_log,
            summaries=world.summaries,
            publisher=self,
            offload=self._offload,
            retry=Retry(RETRY_BUDGET, longest=1.0),
            end=self._end,
            crash_points=self,
            now=lambda: world.now() + skew,
        )

    def start(self, coroutine: Any) -> asyncio.Task[Any]:
        """Run something in this process."""
        return self._world.loop.create_task(coroutine, context=self.context.copy())

    def later(self, delay: float, callback: Callable[..., None], *arguments: object) -> Handle:
        """Call something in this process after so many seconds."""
        handle: Handle = self._world.loop.call_later(delay, callback, *arguments, context=self.context)
        return handle

    def on_death(self, callback: Callable[[], None]) -> None:
        """Call something, in the world, when the process dies."""
        self._died.append(callback)

    def freeze(self) -> None:
        """SIGSTOP."""
        self.frozen = []
        self.pauses += 1

    def kill(self) -> None:
        """SIGKILL."""
        if self.dead:
            return
        self.dead = True
        self._world.loop.drop(self)
        for callback in self._died:
            callback()

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        await self._call("publish", self._world.broker.publish_now, rows)

    async def tick(self, topic: str, partition: int) -> None:
        await self._call("tick", self._world.broker.tick_now, topic, partition)

    def reached(self, point: Point) -> None:
        self._live()
        if self._world.weather.strikes_at():
            self._world.trace.fault(self.name, "crash point", point)
            self.kill()
            raise Stop

    def _offload(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        return self._call(function.__name__, function, *arguments)

    async def _call(self, name: str, function: Callable[..., T], *arguments: object) -> T:
        self._live()
        world = self._world
        answer: asyncio.Future[T] = world.loop.create_future()
        fate = world.weather.fate(name)
        if world.is_down(name):
            fate = Fate(Kind.REFUSED, fate.there, fate.back)
        elif fate.kind is not Kind.WELL:
            world.trace.fault(self.name, f"{fate.kind}: {name}")
        there = fate.there
        if fate.kind is Kind.LATE:
            self.later(PATIENCE, _settle, answer, None, _lost(name))
            there = PATIENCE + fate.later
        world.flights += 1
        world.loop.call_later(there, self._land, name, fate, function, arguments, answer, context=world.loop.world)
        return await answer

    def _land(
        self,
        name: str,
        fate: Fate,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        answer: "asyncio.Future[Any]",
    ) -> None:
        """The request reaches its store."""
        self._world.flights -= 1
        if self.dead and not fate.outlives:
            return
        result, error, wait = self._at_store(name, fate, function, arguments)
        if not self.dead:
            self.later(fate.back + wait, _settle, answer, result, error)

    def _at_store(
        self, name: str, fate: Fate, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> tuple[Any, BaseException | None, float]:
        """Return the answer or error, and the seconds that the caller waits for it beyond the usual."""
        match fate.kind:
            case Kind.CRASH_BEFORE:
                self.kill()
                return None, None, 0.0
            case Kind.REFUSED:
                return None, Transient(f"{name} was refused"), 0.0
            case Kind.LOST:
                return None, _lost(name), PATIENCE
            case Kind.PARTIAL:
                rows = arguments[0]
                arguments = (rows[: round(fate.partial * len(rows))],)
            case Kind.REPEATED:
                self._world.flights += 1
                self._world.loop.call_later(
                    fate.later, self._again, name, function, arguments, context=self._world.loop.world
                )
        result, error = self._perform(name, function, arguments)
        match fate.kind:
            case Kind.CRASH_AFTER:
                self.kill()
            case Kind.UNANSWERED:
                return None, _lost(name), PATIENCE
            case Kind.PARTIAL:
                return None, Transient("not all outputs were acknowledged"), 0.0
        return result, error, 0.0

    def _again(self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._world.flights -= 1
        self._perform(name, function, arguments)

    def _perform(
        self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> tuple[Any, BaseException | None]:
        try:
            result = function(*arguments)
        except StoreError as error:
            self._world.trace.add(self.name, f"{name} fails:", error)
            return None, error
        return result, None

    def _live(self) -> None:
        if self.dead or self._world.over:
            raise Stop

    def _end(self, code: int, message: str) -> NoReturn:
        self._world.trace.add(self.name, f"ends with {code}:", message.strip().splitlines()[-1])
        self._world.ended(self.name, code, message)
        self.exit_code = code
        self.kill()
        raise Stop


def _settle(answer: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


def _lost(name: str) -> Exception:
    lost = f"the answer to {name} was lost"
    return UnknownOutcome(lost) if name in TRANSACTIONS else Transient(lost)
