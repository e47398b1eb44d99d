"""The fixes that wait for a verdict."""

from vigia.events.summaries import ProposalSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def open_proposals(reader: Reader, limit: int = 100) -> list[ProposalSummary]:
    """Return proposals without a verdict, newest first.

    One that has lapsed (`expires_at`) is among them until its lane's clock has passed that time.
    """
    table = TABLES[ProposalSummary]
    waiting = select_rows(ProposalSummary).where(table.c.status == "proposed")
    query = waiting.order_by(table.c.at.desc(), table.c.proposal_id.desc()).limit(limit)
    return [to_struct(ProposalSummary, row) for row in reader.fetch(query)]
