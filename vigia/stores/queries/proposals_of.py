"""What was proposed for problems."""

from collections.abc import Iterable

from vigia.events.summaries import ProposalSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def proposals_of(reader: Reader, problem_ids: Iterable[str]) -> dict[str, ProposalSummary]:
    """Return the proposal of each of these problems, by the problem's id; those without one are left out."""
    table = TABLES[ProposalSummary]
    rows = [
        to_struct(ProposalSummary, row)
        for some in chunks(sorted(set(problem_ids)))
        for row in reader.fetch(select_rows(ProposalSummary).where(table.c.problem_id.in_(some)))
    ]
    return {row.problem_id: row for row in sorted(rows, key=lambda row: (row.at, row.proposal_id))}
