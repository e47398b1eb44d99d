"""`SqlSummaries`: the summaries' database on MySQL, MariaDB or SQLite; `open_summaries` makes one.

Each method is a line that leads to the module of its table. Nothing connects before the first call.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.sql.selectable import TypedReturnsRows

from vigia.events.effects import RowRange, Timer
from vigia.events.summaries import Summary
from vigia.stores.base import DeadLetterRow, LaneId, LaneRow, Loaded, OutboxRow, StepCommit, StepRow, WorkerRow
from vigia.stores.errors import Unusable
from vigia.stores.mysql import STATEMENT_TIMEOUT, MySQL
from vigia.stores.risk_models import RiskModelChange, RiskModelRow, ShadowScore, Status, Turn
from vigia.stores.sql import (
    attempts,
    dead_letters,
    interventions,
    lane_topics,
    lanes,
    outbox,
    pruning,
    repartition,
    risk_models,
    states,
    steps,
    summary_rows,
    timers,
    workers,
)
from vigia.stores.sql.commit import write_step
from vigia.stores.sql.database import Database
from vigia.stores.sql.dialect import Dialect
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.repartition import Change, Plan, Told
from vigia.stores.sql.version import check_version
from vigia.stores.sqlite import SQLite


def open_summaries(
    url: str,
    *,
    password: str | None = None,
    tls: bool = False,
    tls_ca: str = "",
    connections: int = 8,
    statement_timeout: float = STATEMENT_TIMEOUT,
    read_only: bool = False,
) -> "SqlSummaries":
    """Return the summaries' database at `url`, without connecting yet.

    `url` is `mysql://user@host:port/database`, `mariadb://...` or `sqlite:///path`. `password` replaces one in the URL.
    With `tls`, connections are encrypted, and the server's name and certificate checked; `tls_ca` is a file with the
    authorities to trust (empty: the system's). `connections` are kept open; twice as many may be.
    `statement_timeout` (seconds) is MySQL's and MariaDB's. `read_only` is for viewers of SQLite: it never makes or
    changes a file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # not in the error's words: they have the URL, which may have a password
        raise Unusable("the URL of the summaries' database is none: mysql://user@host:port/database") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return SqlSummaries(SQLite(parsed, connections=connections, read_only=read_only))
    if kind in {"mysql", "mariadb"}:
        if password is not None:
            parsed = parsed.set(password=password)
        return SqlSummaries(
            MySQL(parsed, connections=connections, tls=tls, tls_ca=tls_ca, statement_timeout=statement_timeout)
        )
    raise Unusable(f"{kind} is no database for summaries: give a URL of mysql, mariadb or sqlite")


class SqlSummaries:
    """The summaries' database; implements `Summaries`, `Heartbeats` and `Pruning` of `vigia.stores.base`, and
    `RiskModels` of `vigia.stores.risk_models`.

    Safe to use from several threads.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._database = Database(dialect)

    def check(self) -> list[str]:
        with self._database.reading() as connection:
            check_version(connection)
            return self._database.dialect.warnings(connection)

    def migrate(self) -> None:
        # Alembic takes a while to import, and workers do not need it
        from vigia.stores.sql.migrating import migrate  # noqa: PLC0415

        migrate(self._database)

    def acquire(self, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
        return lanes.acquire(self._database, lane, owner, cluster_id, partition_count)

    def read_lane(self, lane: LaneId) -> LaneRow | None:
        return lanes.read(self._database, lane)

    def lanes(self) -> list[LaneRow]:
        return lanes.read_all(self._database)

    def topic_ids(self, lane: LaneId) -> dict[str, str]:
        return lane_topics.read(self._database, lane)

    def keep_topic_ids(self, lane: LaneId, ids: Mapping[str, str]) -> None:
        lane_topics.write(self._database, lane, ids)

    def load(self, lane: LaneId, state_keys: Sequence[str], seen_ids: Sequence[bytes]) -> Loaded:
        return states.load(self._database, lane, state_keys, seen_ids)

    def due(self, lane: LaneId, until: float, limit: int) -> list[Timer]:
        return timers.read_due(self._database, lane, until, limit)

    def next_due(self, lane: LaneId) -> float | None:
        return timers.next_due(self._database, lane)

    def rows(self, keys: Iterable[tuple[type[Summary], tuple[object, ...]]]) -> dict[tuple[object, ...], Summary]:
        return summary_rows.read(self._database, keys)

    def rows_between(self, ranges: Sequence[RowRange]) -> list[list[Summary]]:
        return summary_rows.read_between(self._database, ranges)

    def commit(self, commit: StepCommit) -> None:
        write_step(self._database, commit)

    def outbox(self, lane: LaneId, limit: int) -> list[OutboxRow]:
        return outbox.read(self._database, lane, limit)

    def delete_outbox(self, lane: LaneId, numbers: Sequence[int]) -> None:
        outbox.delete_published(self._database, lane, numbers)

    def attempts(self, lane: LaneId, topic: str, offset: int) -> int:
        return attempts.read(self._database, lane, topic, offset)

    def record_attempt(self, lane: LaneId, topic: str, offset: int, error: str) -> int:
        return attempts.record(self._database, lane, topic, offset, error)

    def steps(self, lane: LaneId, after: int, limit: int) -> list[StepRow]:
        return steps.read(self._database, lane, after, limit)

    def dead_letters(self, status: str | None, limit: int, after: str = "") -> list[DeadLetterRow]:
        return dead_letters.read(self._database, status, limit, after)

    def dead_letter(self, letter_id: str) -> DeadLetterRow | None:
        return dead_letters.read_one(self._database, letter_id)

    def mark_dead_letters(self, letter_ids: Sequence[str], status: str) -> int:
        return dead_letters.mark(self._database, letter_ids, status)

    def release(self, lane: LaneId) -> bool:
        return lanes.release(self._database, lane)

    def interventions(self, lane: LaneId) -> list[Intervention]:
        """Return what people did to the lane, in order."""
        return interventions.read(self._database, lane)

    def move_lane(self, row: LaneRow, done: Intervention, *, forget_topic: bool) -> LaneRow:
        """Take a lane to another offset: see `interventions.move`."""
        return interventions.move(self._database, row, done, forget_topic=forget_topic)

    def repartition(self, plan: Plan, change: Change, told: Told) -> None:
        """Let everything of an agent's lanes go to where it then belongs: see `repartition.repartition`."""
        repartition.repartition(self._database, plan, change, told)

    def state_keys(self, lane: LaneId) -> Iterator[str]:
        """Return the keys of a lane's states, in order."""
        return repartition.state_keys(self._database, lane)

    def timers(self, lane: LaneId) -> list[Timer]:
        """Return all timers of a lane."""
        return repartition.timers_of(self._database, lane)

    def beat(self, row: WorkerRow) -> None:
        workers.write(self._database, row)

    def workers(self) -> list[WorkerRow]:
        return workers.read(self._database)

    def now(self) -> float:
        return workers.now(self._database)

    def forget_workers(self, silent_for: float) -> int:
        return workers.forget(self._database, silent_for)

    def leave(self, worker: str) -> None:
        workers.leave(self._database, worker)

    def prune(self) -> Iterator[int]:
        return pruning.prune(self._database)

    def risk_models(self, statuses: Sequence[Status] = ()) -> list[RiskModelRow]:
        return risk_models.read(self._database, statuses)

    def risk_model_file(self, name: str) -> bytes | None:
        return risk_models.read_file(self._database, name)

    def add_risk_model(self, row: RiskModelRow, body: bytes, by: str, because: str) -> bool:
        return risk_models.add(self._database, row, body, by, because)

    def turn_risk_models(self, turns: Sequence[Turn], by: str, because: str) -> bool:
        return risk_models.turn(self._database, turns, by, because)

    def risk_model_changes(self) -> list[RiskModelChange]:
        return risk_models.changes(self._database)

    def unscored(self, row: RiskModelRow, look: int, limit: int) -> list[tuple[str, str]]:
        return risk_models.unscored(self._database, row, look, limit)

    def write_shadow_scores(self, model: str, scores: Sequence[ShadowScore]) -> None:
        risk_models.write_scores(self._database, model, scores)

    def shadow_scores(self, model: str) -> Iterator[ShadowScore]:
        return risk_models.read_scores(self._database, model)

    def fetch(self, statement: TypedReturnsRows[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Run one SELECT of `vigia/stores/queries/` and return its rows."""
        return self._database.fetch(statement)

    def close(self) -> None:
        self._database.close()
