"""Deployments have a kind: those that are there already bring a change."""

from alembic import op
from sqlalchemy import Column, inspect

from vigia.stores.sql import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, unless an interrupted migration has."""
    if not op.get_context().as_sql:
        held = inspect(op.get_bind()).get_columns("deployments")
        if any(each["name"] == "kind" for each in held):
            return
    op.add_column("deployments", Column("kind", types.name(), nullable=False, server_default="deployment", quote=True))
