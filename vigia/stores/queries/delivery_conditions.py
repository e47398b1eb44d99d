"""The conditions that a question about deliveries puts on a table."""

from math import isfinite

from sqlalchemy import Column, ColumnElement, Integer, Table, and_, cast, false, func, or_

from vigia.events import dora
from vigia.events.dora_facts import Membership, Question

Condition = ColumnElement[bool]


def asked(question: Question, table: Table, at: Column[float]) -> list[Condition]:
    """Return what keeps the rows of the service, team or organisation; `at` is the time that tells whose they were."""
    if question.of == "all":
        return []
    if question.of == "service":
        return [table.c.service == question.name]
    if question.of == "team":
        return [table.c.scope == question.name]
    # most teams never move: one list, instead of a condition each
    always = [each.scope for each in question.memberships if not isfinite(each.since) and not isfinite(each.until)]
    moved = [_within(each, table, at) for each in question.memberships if each.scope not in always]
    parts = [table.c.scope.in_(always), *moved] if always else moved
    return [or_(*parts) if parts else false()]


def between(at: Column[float], since: float, until: float) -> Condition:
    """Return the condition that a time lies in [since, until)."""
    return and_(at >= since, at < until)


def in_window(question: Question, table: Table) -> Condition:
    """Return the condition that a row's `at` lies in the window; by its `day` an index finds it."""
    days = table.c.day.between(int(question.since // dora.DAY), int(question.until // dora.DAY))
    return and_(days, between(table.c.at, question.since, question.until))


def day_of(at: ColumnElement[float]) -> ColumnElement[int]:
    """Return the day of a time, since 1970: an integer, so that an index of days can be looked up with it."""
    # SQLite's floor is Python's here, which takes no NULL
    return cast(func.floor(func.coalesce(at, 0.0) / dora.DAY), Integer)


def _within(span: Membership, table: Table, at: Column[float]) -> Condition:
    bounds = [at >= span.since] if isfinite(span.since) else []
    bounds += [at < span.until] if isfinite(span.until) else []
    return and_(table.c.scope == span.scope, *bounds)
