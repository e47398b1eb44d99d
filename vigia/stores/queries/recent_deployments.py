"""The deployments that reached a stage last."""

from vigia.events.summaries import DeploymentSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.stores.sql.summary_tables import TABLES


def recent_deployments(reader: Reader, limit: int = 20, *, service: str | None = None) -> list[DeploymentSummary]:
    """Return the `limit` deployments whose latest stage (finished, else started, else planned) came last.

    With `service`, those of that service alone.
    """
    table = TABLES[DeploymentSummary]
    query = select_rows(DeploymentSummary).order_by(table.c.latest_at.desc(), table.c.deployment_id.desc()).limit(limit)
    if service is not None:
        query = query.where(table.c.service == service)
    return [to_struct(DeploymentSummary, row) for row in reader.fetch(query)]
