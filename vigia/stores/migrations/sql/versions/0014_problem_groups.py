"""Which problems are taken for consequences of another one."""

from sqlalchemy import Index, MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and the index by which a group's problems are found."""
    creating.create(
        table(
            MetaData(),
            "problem_groups",
            column("problem_id", types.name(), key=True),
            column("part_of", types.name(), key=True),
            column("service", types.name()),
            column("at", types.real()),
            column("released", types.integer()),
            column("version", types.integer()),
            Index("problem_groups_by_group", "part_of", "problem_id"),
        )
    )
