"""The broker's ids of the topics that lanes read: a topic that was created anew has another one."""

from sqlalchemy import MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of topic ids. It fills as lanes are taken over."""
    creating.create(
        table(
            MetaData(),
            "lane_topics",
            column("agent", types.name(64), key=True),
            column("partition", types.small(), key=True),
            column("topic", types.name(249), key=True),
            column("topic_id", types.name()),
        )
    )
