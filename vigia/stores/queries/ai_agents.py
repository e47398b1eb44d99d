"""What was counted of AI agents over a span of days, added up by the database as far as it can."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from vigia.events.summaries import AIDecisionTally, AIDecisionTimes
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES

_TALLIES, _TIMES = TABLES[AIDecisionTally], TABLES[AIDecisionTimes]
_SUMS = ("decisions", "correct", "partly", "confidence", "squared_error")


def ai_decision_tallies(
    reader: Reader, since: int, until: int, piece: int, agent: str | None = None, *, judge: str | None = None
) -> list[AIDecisionTally]:
    """Return the tallies of the days in [since, until), in epoch seconds, added up over pieces of `piece` seconds.

    A tally's `start` is that of its piece; the first piece begins at `since`. With `judge`, those of this one alone.
    Reads a range of the primary key, or of the agent's index.
    """
    if until <= since:
        return []
    passed = _TALLIES.c.start - since
    start = (_TALLIES.c.start - passed % piece).label("piece")
    key = (_TALLIES.c.agent, _TALLIES.c.decision_type, _TALLIES.c.bin, _TALLIES.c.judge)
    sums = [func.sum(_TALLIES.c[name]) for name in _SUMS]
    query = select(start, *key, *sums).where(*_within(_TALLIES, since, until, agent)).group_by(start, *key)
    if judge is not None:
        query = query.where(_TALLIES.c.judge == judge)
    return [
        # a sum is a Decimal to MySQL
        AIDecisionTally(
            start=int(row[0]),
            agent=row[1],
            decision_type=row[2],
            bin=row[3],
            judge=row[4],
            **dict(zip(_SUMS, map(int, row[5:]), strict=True)),
        )
        for row in reader.fetch(query)
    ]


def ai_decision_times(reader: Reader, since: int, until: int, agent: str | None = None) -> list[AIDecisionTimes]:
    """Return the execution times of each day in [since, until), in epoch seconds; models merge them."""
    query = select_rows(AIDecisionTimes).where(*_within(_TIMES, since, until, agent))
    return [to_struct(AIDecisionTimes, row) for row in reader.fetch(query)]


def last_ai_decision_day(reader: Reader, agent: str | None = None) -> int | None:
    """Return the latest day with decisions, in epoch seconds: what to say when a span has none."""
    query = select(func.max(_TALLIES.c.start))
    if agent is not None:
        query = query.where(_TALLIES.c.agent == agent)
    rows: Sequence[Any] = reader.fetch(query)
    return None if rows[0][0] is None else int(rows[0][0])


def _within(table: Table, since: int, until: int, agent: str | None) -> list[ColumnElement[bool]]:
    found = [table.c.start >= since, table.c.start < until]
    return found if agent is None else [*found, table.c.agent == agent]
