"""Rows of `risk_models`, `risk_model_changes` and `shadow_scores`. No step reads or writes them."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, and_, func, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from vigia.events.summaries import DeploymentSummary
from vigia.stores.risk_models import RiskModelChange, RiskModelRow, ShadowScore, Status, Turn
from vigia.stores.sql.database import Database
from vigia.stores.sql.summary_tables import TABLES
from vigia.stores.sql.tables import risk_model_changes, risk_models, shadow_scores
from vigia.stores.sql.workers import time_of

SCORES_AT_ONCE = 1_000

_COLUMNS = [risk_models.c[field] for field in RiskModelRow.__struct_fields__]


def read(database: Database, statuses: Sequence[Status]) -> list[RiskModelRow]:
    """Return the models without their files, the oldest first."""
    query = select(*_COLUMNS).order_by(risk_models.c.created_at, risk_models.c.name)
    if statuses:
        query = query.where(risk_models.c.status.in_(statuses))
    return [RiskModelRow(**row._mapping) for row in database.fetch(query)]  # noqa: SLF001 - SQLAlchemy's public name for it


def read_file(database: Database, name: str) -> bytes | None:
    """Return a model's file."""
    rows = database.fetch(select(risk_models.c.body).where(risk_models.c.name == name))
    return bytes(rows[0][0]) if rows else None


def add(database: Database, row: RiskModelRow, body: bytes, by: str, because: str) -> bool:
    """Keep a model, with the database's time; false when there is one of that name."""

    def work(connection: Connection) -> bool:
        if connection.execute(select(risk_models.c.name).where(risk_models.c.name == row.name)).first():
            return False
        now = time_of(database, connection)
        made = msgspec.structs.replace(row, created_at=now)
        database.statements.write(connection, risk_models, [(*msgspec.structs.astuple(made), body)])
        _note(database, connection, row.name, row.status, now, by, because)
        return True

    try:
        return database.write(work)
    except IntegrityError:
        # somebody has kept one of that name in this moment
        return False


def turn(database: Database, turns: Sequence[Turn], by: str, because: str) -> bool:
    """Change statuses, all of them or none."""

    def work(connection: Connection) -> bool:
        held = select(risk_models.c.name, risk_models.c.status).where(
            risk_models.c.name.in_([each.name for each in turns])
        )
        statuses = {row.name: row.status for row in connection.execute(held.with_for_update())}
        if any(statuses.get(each.name) != each.origin for each in turns):
            return False
        now = time_of(database, connection)
        for each in turns:
            connection.execute(update(risk_models).where(risk_models.c.name == each.name).values(status=each.status))
            _note(database, connection, each.name, each.status, now, by, because)
        return True

    return database.write(work)


def changes(database: Database) -> list[RiskModelChange]:
    """Return what was done with models, the oldest first."""
    rows = database.fetch(
        select(risk_model_changes).order_by(
            risk_model_changes.c.at, risk_model_changes.c.name, risk_model_changes.c.number
        )
    )
    return [RiskModelChange(**row._mapping) for row in rows]  # noqa: SLF001 - as above


def unscored(database: Database, row: RiskModelRow, look: int, limit: int) -> list[tuple[str, str]]:
    """Return the newest deployments that a model has not scored."""
    table = TABLES[DeploymentSummary]
    newest = select(table.c.deployment_id, table.c.scope, table.c.latest_at).where(table.c.latest_at > row.last_at)
    if row.scope:
        newest = newest.where(table.c.scope == row.scope)
    some = newest.order_by(table.c.latest_at.desc(), table.c.deployment_id.desc()).limit(look).subquery()
    same = and_(
        shadow_scores.c.model == row.name,
        shadow_scores.c.deployment_id == some.c.deployment_id,
        shadow_scores.c.scope == some.c.scope,
    )
    query = select(some.c.deployment_id, some.c.scope).select_from(some.outerjoin(shadow_scores, same))
    query = query.where(shadow_scores.c.model.is_(None))
    query = query.order_by(some.c.latest_at.desc(), some.c.deployment_id.desc()).limit(limit)
    return [(row[0], row[1]) for row in database.fetch(query)]


def write_scores(database: Database, model: str, scores: Sequence[ShadowScore]) -> None:
    """Keep what a model says of deployments, in the order of their keys."""
    ordered = sorted(scores)

    def work(connection: Connection) -> None:
        now = time_of(database, connection)
        database.statements.write(connection, shadow_scores, [(model, *each, now) for each in ordered])

    if ordered:
        database.write(work)


def read_scores(database: Database, model: str) -> Iterator[ShadowScore]:
    """Return what a model said, in the order of the key, some at a time."""
    table = shadow_scores
    columns = [table.c[field] for field in ShadowScore._fields]
    query = select(*columns).where(table.c.model == model).order_by(table.c.deployment_id, table.c.scope)
    query = query.limit(SCORES_AT_ONCE)
    some: Sequence[Any] = database.fetch(query)
    while some:
        yield from (ShadowScore(*row) for row in some)
        after = tuple_(table.c.deployment_id, table.c.scope) > tuple_(some[-1][0], some[-1][1])
        some = database.fetch(query.where(after)) if len(some) == SCORES_AT_ONCE else ()


def take_over(live: Database, rebuilt: Database) -> None:
    """Copy all of it from one database to another, which has none of it or, of an earlier try, some of the same."""
    for table, at_once in ((risk_models, 1), (risk_model_changes, SCORES_AT_ONCE), (shadow_scores, SCORES_AT_ONCE)):
        key = list(table.primary_key)
        query = select(table).order_by(*key).limit(at_once)
        some: Sequence[Any] = live.fetch(query)
        while some:
            _copy(rebuilt, table, [tuple(row) for row in some])
            last = some[-1]._mapping  # noqa: SLF001 - as above
            some = live.fetch(query.where(tuple_(*key) > tuple_(*(last[column] for column in key))))


def _copy(database: Database, table: Table, rows: list[tuple[Any, ...]]) -> None:
    size = len(table.primary_key)

    def work(connection: Connection) -> None:
        held = {row[:size] for row in database.statements.read(connection, table, [row[:size] for row in rows])}
        database.statements.write(connection, table, [row for row in rows if row[:size] not in held])

    database.write(work)


def _note(
    database: Database, connection: Connection, name: str, status: Status, at: float, by: str, because: str
) -> None:
    last = select(func.coalesce(func.max(risk_model_changes.c.number), 0)).where(risk_model_changes.c.name == name)
    number = connection.execute(last).scalar_one() + 1
    database.statements.write(connection, risk_model_changes, [(name, number, status, at, by, because)])
