"""What senders of feedback said beyond their limits."""

from sqlalchemy import MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    creating.create(
        table(
            MetaData(),
            "sender_surpluses",
            column("day", types.integer(), key=True),
            column("counted_by", types.name(), key=True),
            column("record_key", types.name(), key=True),
            column("sender", types.name(), key=True),
            column("a_day", types.integer()),
            column("surplus", types.integer()),
        )
    )
