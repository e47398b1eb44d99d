"""The deployments of a service in a span of time."""

from vigia.events.summaries import DeploymentSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def deployments_between(
    reader: Reader, service: str, start: float, end: float, *, limit: int = 200
) -> list[DeploymentSummary]:
    """Return those whose latest stage came in [start, end), the latest first, at most `limit`."""
    table = TABLES[DeploymentSummary]
    query = select_rows(DeploymentSummary).where(
        table.c.service == service, table.c.latest_at >= start, table.c.latest_at < end
    )
    query = query.order_by(table.c.latest_at.desc(), table.c.deployment_id.desc()).limit(limit)
    return [to_struct(DeploymentSummary, row) for row in reader.fetch(query)]
