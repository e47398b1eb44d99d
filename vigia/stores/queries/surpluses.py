"""What senders of feedback said beyond their limits."""

from vigia.events.summaries import SenderSurplusSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def surpluses(reader: Reader, since_day: int, until_day: int, *, limit: int = 20) -> list[SenderSurplusSummary]:
    """Return those of the days [since_day, until_day), counted from 1970 in UTC: the latest and largest first, at most
    `limit`.
    """
    table = TABLES[SenderSurplusSummary]
    query = select_rows(SenderSurplusSummary).where(table.c.day >= since_day, table.c.day < until_day)
    order = table.c.day.desc(), table.c.surplus.desc(), table.c.sender, table.c.record_key
    return [to_struct(SenderSurplusSummary, row) for row in reader.fetch(query.order_by(*order).limit(limit))]
