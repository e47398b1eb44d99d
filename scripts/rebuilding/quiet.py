"""The outside as a replayed step sees it: it reads the rebuilt database and writes it, and nothing else happens."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar

from scripts.rebuilding.places import Place
from vigia.stores.base import LaneId, OutboxRow, RawBatch, RawRecord, StepCommit
from vigia.stores.sql.summaries import SqlSummaries
from vigia.streaming.crash_points import NoCrashPoints
from vigia.streaming.failure import Retry
from vigia.streaming.ports import Ports

T = TypeVar("T")


class QuietSummaries(SqlSummaries):
    """The rebuilt database. Outputs were published when their step was applied: they are numbered, and not kept."""

    def commit(self, commit: StepCommit) -> None:
        super().commit(replace(commit, outbox=()))

    def outbox(self, lane: LaneId, limit: int) -> list[OutboxRow]:  # noqa: ARG002 - the protocol's
        return []

    def delete_outbox(self, lane: LaneId, numbers: Sequence[int]) -> None:
        """There is nothing to delete."""


class QuietRawLog:
    """Takes raw events without keeping them: they come from there. Whatever else is asked of it is a bug."""

    def append(self, batch: RawBatch) -> None:
        """Keep nothing."""

    def check(self) -> list[str]:
        raise NotImplementedError

    def migrate(self) -> None:
        raise NotImplementedError

    def read(
        self, cluster_id: str, topic: str, partition: int, first: int, last: int | None = None
    ) -> Iterator[RawRecord]:
        raise NotImplementedError

    def find(self, service: str, start: float, end: float) -> Iterator[RawRecord]:
        raise NotImplementedError

    def close(self) -> None:
        """There is nothing to close."""


class QuietPublisher:
    """Publishes nothing."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Say that it has been done."""

    async def tick(self, topic: str, partition: int) -> None:
        """Send nothing."""


def quiet_ports(rebuilt: Place, retry_budget: float) -> Ports:
    """Return the ports of a rebuild: single-threaded, so blocking calls are simply made."""
    return Ports(
        raw_log=QuietRawLog(),
        summaries=QuietSummaries(rebuilt.database.dialect),
        publisher=QuietPublisher(),
        offload=_at_once,
        retry=Retry(retry_budget),
        end=_never,
        crash_points=NoCrashPoints(),
        now=lambda: 0.0,
        warn=_unsaid,
    )


def _at_once(function: Callable[..., T], *arguments: object) -> Awaitable[T]:
    async def call() -> T:
        return function(*arguments)

    return call()


def _unsaid(sentence: str) -> None:
    """What people were to know they were told when the step was applied."""


def _never(code: int, message: str) -> NoReturn:
    raise AssertionError(f"a step does not end the process: {message} ({code})")
