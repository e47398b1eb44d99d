"""What a lane needs from outside, passed in by the composition root, so that a simulation can pass other things."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vigia.stores.base import OutboxRow, RawLog, Summaries
from vigia.streaming.crash_points import CrashPoints
from vigia.streaming.failure import Ending, Retry

T = TypeVar("T")


class Offload(Protocol):
    """Runs a blocking call off the event loop."""

    def __call__(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Return what `function(*arguments)` returns."""


class Publisher(Protocol):
    """Writes to the broker. Errors that may pass are `stores.errors.Transient`."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Return when the broker has acknowledged all rows, in order within each partition."""

    async def tick(self, topic: str, partition: int) -> None:
        """Append a tick to an input partition."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, as lanes see it. `now` is Kafka's time in epoch seconds: it decides only when a tick is due. `warn`
    says for people what a model wants them to know.
    """

    raw_log: RawLog
    summaries: Summaries
    publisher: Publisher
    offload: Offload
    retry: Retry
    end: Ending
    crash_points: CrashPoints
    now: Callable[[], float]
    warn: Callable[[str], object] = logging.getLogger(__name__).warning
