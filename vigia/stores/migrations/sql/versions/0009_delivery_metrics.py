"""What the delivery metrics are read from: deliveries, the commits they brought, and who attributed which incident."""

from alembic import op
from sqlalchemy import Column, Index, MetaData, inspect
from sqlalchemy.schema import CreateIndex

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and the indexes by which reports find rows. A rebuild fills them for the past."""
    made = MetaData()
    creating.create(
        table(
            made,
            "deliveries",
            column("deployment_id", types.name(), key=True),
            column("scope", types.name(), key=True),
            column("service", types.name()),
            column("environment", types.name()),
            column("at", types.real()),
            column("day", types.integer()),
            column("exposed_at", types.real(), null=True),
            column("excluded", types.name(32)),
            column("intervention", types.integer(), null=True),
            column("listed", types.integer()),
            column("exposed_day", types.integer(), null=True),
            Index("deliveries_by_time", "day", "environment", "excluded", "intervention", "listed", "at"),
            Index("deliveries_by_scope", "scope", "day", "environment", "excluded", "intervention", "listed", "at"),
            Index("deliveries_by_service", "service", "day", "environment", "excluded", "intervention", "listed", "at"),
            Index("deliveries_first", "service", "environment", "excluded", "at"),
            Index(
                "deliveries_before",
                "scope",
                "service",
                "environment",
                "exposed_day",
                "exposed_at",
                "at",
                "excluded",
                "intervention",
            ),
        )
    )
    creating.create(
        table(
            made,
            "delivered_commits",
            column("commit_id", types.name(), key=True),
            column("scope", types.name()),
            column("service", types.name()),
            column("environment", types.name()),
            column("sha", types.name()),
            column("deployment_id", types.name()),
            column("delivered_at", types.real(), null=True),
            column("committed_at", types.real(), null=True),
            column("lead_time", types.real(), null=True),
            column("lead_class", types.integer(), null=True),
            column("carriers", types.text()),
            Index("commits_by_time", "environment", "delivered_at", "lead_class", "lead_time", "service", "scope"),
            Index("commits_by_scope", "scope", "environment", "delivered_at", "lead_class", "lead_time", "service"),
            Index("commits_by_service", "service", "environment", "delivered_at", "lead_class", "lead_time"),
        )
    )
    creating.create(
        table(
            made,
            "attributions",
            column("attribution_id", types.name(), key=True),
            column("scope", types.name(), key=True),
            column("incident_id", types.name()),
            column("deployment_id", types.name()),
            column("kind", types.name()),
            column("at", types.real()),
            column("by", types.name()),
            column("reason", types.text()),
            Index("attributions_by_time", "kind", "at"),
            Index("attributions_by_incident", "incident_id", "scope", "kind"),
        )
    )
    _index("incidents", "incidents_by_time", "opened_at", "environment")
    _index("incidents", "incidents_by_scope", "scope", "opened_at")
    _index("incidents", "incidents_by_service", "service", "opened_at")
    _index("deployments", "deployments_of_service", "service", "latest_at", "deployment_id")


def _index(name: str, index: str, *names: str) -> None:
    """Create an index on a table that is there, unless an interrupted migration has."""
    if not op.get_context().as_sql:
        there = {each["name"] for each in inspect(op.get_bind()).get_indexes(name)}
        if index in there:
            return
    made = table(MetaData(), name, *(Column(each, types.name(), quote=True) for each in names))
    op.execute(CreateIndex(Index(index, *(made.c[each] for each in names))))
