"""The problems that are not over."""

from vigia.events.summaries import ProblemSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def open_problems(reader: Reader, limit: int = 100) -> list[ProblemSummary]:
    """Return open problems, newest first."""
    table = TABLES[ProblemSummary]
    waiting = select_rows(ProblemSummary).where(table.c.status == "open")
    query = waiting.order_by(table.c.opened_at.desc(), table.c.problem_id.desc()).limit(limit)
    return [to_struct(ProblemSummary, row) for row in reader.fetch(query)]
