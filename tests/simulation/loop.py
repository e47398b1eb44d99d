"""An event loop in virtual time that knows whose code it runs, so that a process can be frozen or killed at once.

What a process has scheduled carries the process in its context. While the process is frozen (SIGSTOP) its handles are
put aside, and run in their order when it goes on; once it is dead they are dropped, and no `finally` of it runs. Much
smaller than asyncio's own loop, since there are no sockets, threads or signals.
"""

import asyncio
import contextvars
from asyncio import events
from collections import deque
from heapq import heappop, heappush
from typing import Any, Protocol

MOST_FUNERALS = 10
"""How often tasks are cancelled that go on after they were."""


class Owner(Protocol):
    """A process, as the loop sees it."""

    dead: bool
    frozen: "list[Handle] | None"
    """What it would have run since it was frozen; None while it runs."""


OWNER: contextvars.ContextVar[Any] = contextvars.ContextVar("owner", default=None)
"""Whose code this is; None is the world's."""


class Stop(BaseException):
    """Code of a process must not go on: the process is gone. No handler for `Exception` sees it."""


class TooLongError(RuntimeError):
    """The world has run more handles than any that comes to rest would."""


class Handle:
    """Something to be run, in its process."""

    __slots__ = ("args", "callback", "context", "off", "owner")

    def __init__(self, callback: Any, args: tuple[Any, ...], context: contextvars.Context | None) -> None:
        self.callback = callback
        self.args = args
        # an empty context is falsy
        self.context = contextvars.copy_context() if context is None else context
        self.owner = self.context.get(OWNER)
        self.off = False

    def cancel(self) -> None:
        """Do not run it."""
        self.off = True

    def cancelled(self) -> bool:
        """Whether it will not run."""
        return self.off


class SimulatedLoop:
    """As much of an event loop as tasks, futures, timeouts and locks ask for. `most` handles are run."""

    def __init__(self, most: int) -> None:
        self.world = contextvars.copy_context()
        self.handles = 0
        self._most = most
        self._now = 0.0
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._scheduled = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._dropped: list[Handle] = []
        self._stopping = False
        self._burying = False

    def time(self):
        return self._now

    def get_debug(self):
        return False

    def is_running(self):
        return True

    def is_closed(self):
        return False

    def create_future(self):
        return asyncio.Future(loop=self)  # type: ignore[arg-type] # as much of a loop as it asks for

    def create_task(self, coro, *, name=None, context=None):
        task = asyncio.Task(coro, loop=self, context=context)  # type: ignore[arg-type] # the same
        self._tasks.append(task)
        return task

    def call_soon(self, callback, *args, context=None):
        handle = Handle(callback, args, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        handle = Handle(callback, args, context)
        self._scheduled += 1
        heappush(self._timers, (when, self._scheduled, handle))
        return handle

    def call_exception_handler(self, context):
        """What a task ended with is looked at where it matters."""

    def stop(self) -> None:
        """Run no more handles."""
        self._stopping = True

    def drop(self, owner: Owner) -> None:
        """A process has died: what it had put aside will not run."""
        self._dropped.extend(owner.frozen or ())
        owner.frozen = None

    def thaw(self, owner: Owner) -> None:
        """Let a frozen process go on."""
        self._ready.extend(owner.frozen or ())
        owner.frozen = None

    def run(self) -> None:
        """Run until stopped, or until nothing will ever happen."""
        with _Running(self):
            while not self._stopping:
                self._run_ready()
                if not self._timers or self._stopping:
                    return
                when, _, handle = heappop(self._timers)
                if not handle.off:
                    self._now = max(self._now, when)
                    self._ready.append(handle)

    def bury(self) -> None:
        """Cancel all that is left, of dead processes too, so that no coroutine is left in the middle."""
        self._burying = True
        self._stopping = False
        self._most = self.handles + 100_000
        # a task whose wake-up was dropped would not even hear that it is cancelled
        self._ready.extendleft(reversed(self._dropped))
        with _Running(self):
            for _ in range(MOST_FUNERALS):
                self._run_ready()
                left = [task for task in self._tasks if not task.done()]
                for task in left:
                    task.cancel()
                if not left:
                    break
        self._timers.clear()
        self._tasks.clear()
        self._dropped.clear()

    def _run_ready(self) -> None:
        ready = self._ready
        while ready and not self._stopping:
            handle = ready.popleft()
            if handle.off:
                continue
            owner = handle.owner
            if owner is not None and not self._burying:
                if owner.dead:
                    self._dropped.append(handle)
                    continue
                if owner.frozen is not None:
                    owner.frozen.append(handle)
                    continue
            self.handles += 1
            if self.handles > self._most:
                raise TooLongError(f"more than {self._most} handles at {self._now:.1f} s")
            try:
                handle.context.run(handle.callback, *handle.args)
            except Stop:
                continue


class _Running:
    """Makes a loop the running one."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        events._set_running_loop(self._loop)  # type: ignore[arg-type] # the same

    def __exit__(self, *error: object) -> None:
        events._set_running_loop(None)
