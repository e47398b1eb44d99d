"""The mutes that people sent, those that are not over."""

from vigia.events.summaries import MuteSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def mutes_of(reader: Reader, service: str | None, now: float, *, limit: int) -> list[MuteSummary]:
    """Return those of a service, or of all, that end after `now` (epoch seconds) and were not lifted before they began:
    those that end first before others, at most `limit`.
    """
    table = TABLES[MuteSummary]
    query = select_rows(MuteSummary).where(table.c.until > now, table.c.until > table.c.since)
    if service is None:
        query = query.order_by(table.c.until, table.c.service, table.c.mute_id)
    else:
        query = query.where(table.c.service == service).order_by(table.c.until, table.c.mute_id)
    return [to_struct(MuteSummary, row) for row in reader.fetch(query.limit(limit))]
