"""Proposals say which deployment came before their problem."""

from alembic import op
from sqlalchemy import Column, Index, MetaData, inspect
from sqlalchemy.schema import CreateIndex

from vigia.stores.sql import types
from vigia.stores.sql.building import table

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and the index by which a problem's proposals are found, unless an interrupted migration has.

    Workers of the release before write proposals without them.
    """
    columns, indexes = set(), set()
    if not op.get_context().as_sql:
        found = inspect(op.get_bind())
        columns = {each["name"] for each in found.get_columns("proposals")}
        indexes = {each["name"] for each in found.get_indexes("proposals")}
    for name, kind in (("deployment_id", types.name()), ("after", types.text())):
        if name not in columns:
            op.add_column("proposals", Column(name, kind, nullable=True, quote=True))
    if "proposals_by_problem" not in indexes:
        made = table(MetaData(), "proposals", Column("problem_id", types.name(), quote=True))
        op.execute(CreateIndex(Index("proposals_by_problem", made.c["problem_id"])))
