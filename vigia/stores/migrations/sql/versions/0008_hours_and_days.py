"""Windows roll up to hours and days; from when on each are kept and where they were pruned; problems by service."""

from alembic import op
from sqlalchemy import Index, MetaData, inspect
from sqlalchemy.schema import CreateIndex

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. They fill as hours and days end."""
    for name in ("hours", "days"):
        creating.create(
            table(
                MetaData(),
                name,
                column("series_id", types.HexId(), key=True),
                column("start", types.integer(), key=True),
                column("count", types.integer()),
                column("sum", types.real()),
                column("min", types.real()),
                column("max", types.real()),
                column("sketch", types.body()),
                column("late", types.integer()),
            )
        )
    for name in ("kept", "pruned"):
        creating.create(
            table(
                MetaData(),
                name,
                column("service", types.name(), key=True),
                column("windows_from", types.integer()),
                column("hours_from", types.integer()),
                column("days_from", types.integer()),
            )
        )
    _index_problems()


def _index_problems() -> None:
    """Create the index, unless an interrupted migration has."""
    if not op.get_context().as_sql:
        held = inspect(op.get_bind()).get_indexes("problems")
        if any(each["name"] == "problems_by_service" for each in held):
            return
    columns = (column("service", types.name()), column("opened_at", types.real()), column("problem_id", types.name()))
    made = Index("problems_by_service", "service", "opened_at", "problem_id")
    table(MetaData(), "problems", *columns, made)
    op.execute(CreateIndex(made))
