"""AI decisions are counted by day, type, confidence and judge, and so are their execution times."""

from sqlalchemy import MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables; a rebuild fills them for decisions that are there already."""
    metadata = MetaData()
    creating.create(
        table(
            metadata,
            "ai_decision_tallies",
            column("start", types.integer(), key=True),
            column("agent", types.name(), key=True),
            column("decision_type", types.name(), key=True),
            column("bin", types.integer(), key=True),
            column("judge", types.name(), key=True),
            column("decisions", types.integer()),
            column("correct", types.integer()),
            column("partly", types.integer()),
            column("confidence", types.integer()),
            column("squared_error", types.integer()),
        )
    )
    creating.create(
        table(
            metadata,
            "ai_decision_times",
            column("start", types.integer(), key=True),
            column("agent", types.name(), key=True),
            column("decision_type", types.name(), key=True),
            column("count", types.integer()),
            column("total", types.integer()),
            column("sketch", types.body()),
        )
    )
