"""Labels that contradict what was said before: the latest, and how many each sender brought."""

from sqlalchemy import ColumnElement, func, select

from vigia.events.summaries import ContradictionSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES

_table = TABLES[ContradictionSummary]


def contradictions(
    reader: Reader, since: float, until: float, *, service: str | None = None, limit: int = 50
) -> list[ContradictionSummary]:
    """Return those found in [since, until), in epoch seconds of Kafka time, the latest first, at most `limit`."""
    query = select_rows(ContradictionSummary).where(*_within(since, until, service))
    query = query.order_by(_table.c.told_at.desc(), _table.c.contradiction_id.desc()).limit(limit)
    return [to_struct(ContradictionSummary, row) for row in reader.fetch(query)]


def contradictions_by_sender(
    reader: Reader, since: float, until: float, *, service: str | None = None
) -> dict[str, int]:
    """Return how many each sender brought in [since, until), the most first."""
    count = func.count()
    query = select(_table.c.sender, count).where(*_within(since, until, service)).group_by(_table.c.sender)
    rows = reader.fetch(query.order_by(count.desc(), _table.c.sender))
    return {row[0]: row[1] for row in rows}


def _within(since: float, until: float, service: str | None) -> list[ColumnElement[bool]]:
    found = [_table.c.told_at >= since, _table.c.told_at < until]
    return found if service is None else [*found, _table.c.service == service]
