"""Problems, of one service or of all, open or over."""

from vigia.events.summaries import ProblemSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def problems_of(
    reader: Reader,
    service: str | None = None,
    *,
    status: str | None = None,
    opened_before: float | None = None,
    over_after: float | None = None,
    limit: int = 100,
) -> list[ProblemSummary]:
    """Return problems, those that were opened last first, at most `limit`.

    `opened_before` and `over_after` (epoch seconds) leave those that overlap a span: opened before its end, and either
    open or last changed after its beginning.
    """
    table = TABLES[ProblemSummary]
    query = select_rows(ProblemSummary)
    if service is not None:
        query = query.where(table.c.service == service)
    if status is not None:
        query = query.where(table.c.status == status)
    if opened_before is not None:
        query = query.where(table.c.opened_at < opened_before)
    if over_after is not None:
        query = query.where((table.c.at >= over_after) | (table.c.status == "open"))
    query = query.order_by(table.c.opened_at.desc(), table.c.problem_id.desc()).limit(limit)
    return [to_struct(ProblemSummary, row) for row in reader.fetch(query)]
