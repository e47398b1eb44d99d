"""What people did to lanes, numbered among the steps."""

from sqlalchemy import MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of interventions."""
    creating.create(
        table(
            MetaData(),
            "interventions",
            column("agent", types.name(64), key=True),
            column("partition", types.small(), key=True),
            column("sequence", types.integer(), key=True),
            column("kind", types.name(16)),
            column("topic", types.name(249)),
            column("before", types.integer()),
            column("after", types.integer()),
            column("at", types.real()),
            column("by", types.name()),
            column("because", types.text()),
        )
    )
