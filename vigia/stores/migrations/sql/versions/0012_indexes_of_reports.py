"""Indexes that reports want: commits by their class of lead time, and what was counted of one AI agent."""

from alembic import op
from sqlalchemy import Column, Index, MetaData, inspect
from sqlalchemy.schema import CreateIndex

from vigia.stores.sql import types
from vigia.stores.sql.building import table

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes; a large table takes its time, and a worker of an older release does not mind them."""
    _index(
        "delivered_commits",
        "commits_by_class",
        "environment",
        "lead_class",
        "delivered_at",
        "lead_time",
        "service",
        "scope",
    )
    _index("ai_decision_tallies", "tallies_by_agent", "agent", "start")
    _index("ai_decision_times", "times_by_agent", "agent", "start")


def _index(name: str, index: str, *names: str) -> None:
    """Create an index on a table that is there, unless an interrupted migration has."""
    if not op.get_context().as_sql:
        there = {each["name"] for each in inspect(op.get_bind()).get_indexes(name)}
        if index in there:
            return
    made = table(MetaData(), name, *(Column(each, types.name(), quote=True) for each in names))
    op.execute(CreateIndex(Index(index, *(made.c[each] for each in names))))
