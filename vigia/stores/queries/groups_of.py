"""Which problems are taken for consequences of another one."""

from collections.abc import Iterable

from vigia.events.summaries import ProblemGroupSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def groups_of(reader: Reader, problem_ids: Iterable[str]) -> dict[str, str]:
    """Return the problem that each of these is part of, by its id; of several the one that took it in last.

    Those that stand for themselves, or do so again, are left out.
    """
    table = TABLES[ProblemGroupSummary]
    query = select_rows(ProblemGroupSummary).where(table.c.released == 0)
    rows = [
        to_struct(ProblemGroupSummary, row)
        for some in chunks(sorted(set(problem_ids)))
        for row in reader.fetch(query.where(table.c.problem_id.in_(some)))
    ]
    return {row.problem_id: row.part_of for row in sorted(rows, key=lambda row: (row.at, row.part_of))}
