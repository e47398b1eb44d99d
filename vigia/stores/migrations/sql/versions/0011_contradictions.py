"""Labels that contradict what was said before."""

from sqlalchemy import Index, MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and the index by which the latest are found. A rebuild fills it for the past."""
    creating.create(
        table(
            MetaData(),
            "contradictions",
            column("contradiction_id", types.name(), key=True),
            column("record_key", types.name(), key=True),
            column("kind", types.name()),
            column("source", types.name()),
            column("external_id", types.name()),
            column("service", types.name()),
            column("label", types.name()),
            column("sender", types.name()),
            column("said", types.name()),
            column("at", types.real()),
            column("other_sender", types.name()),
            column("other", types.name()),
            column("other_at", types.real()),
            column("stands", types.name()),
            column("told_at", types.real()),
            Index("contradictions_by_time", "told_at", "sender", "contradiction_id"),
        )
    )
