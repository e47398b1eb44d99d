"""The series of a service."""

from vigia.events.summaries import SeriesSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def series_of(
    reader: Reader, service: str, environment: str | None = None, metric: str | None = None, *, limit: int = 1_000
) -> list[SeriesSummary]:
    """Return the series of a service by environment, metric and labels, at most `limit`; also those long silent."""
    table = TABLES[SeriesSummary]
    query = select_rows(SeriesSummary).where(table.c.service == service)
    if environment is not None:
        query = query.where(table.c.environment == environment)
    if metric is not None:
        query = query.where(table.c.metric == metric)
    rows = reader.fetch(query.order_by(table.c.environment, table.c.metric, table.c.series_id).limit(limit))
    found = [to_struct(SeriesSummary, row) for row in rows]
    return sorted(found, key=lambda each: (each.environment, each.metric, each.labels))
