"""What people have muted by event."""

from sqlalchemy import Index, MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and the index by which the mutes that are not over are found."""
    creating.create(
        table(
            MetaData(),
            "mutes",
            column("service", types.name(), key=True),
            column("mute_id", types.name(), key=True),
            column("environment", types.name()),
            column("metric", types.name()),
            column("labels", types.text()),
            column("detectors", types.text()),
            column("since", types.real()),
            column("until", types.real()),
            column("by", types.name()),
            column("reason", types.text()),
            column("lifted_by", types.name()),
            Index("mutes_by_end", "until", "service", "mute_id"),
        )
    )
