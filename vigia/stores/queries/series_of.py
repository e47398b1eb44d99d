"""The series of a service, and the services that have any."""

from sqlalchemy import select

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


def services_with_series(reader: Reader, limit: int = 1_000) -> list[str]:
    """Return the names of services that have series, in order, at most `limit`."""
    service = TABLES[SeriesSummary].c.service
    return [row[0] for row in reader.fetch(select(service).distinct().order_by(service).limit(limit))]
