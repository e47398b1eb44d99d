"""Workers have a slot: a small number that names their own figures."""

from alembic import op
from sqlalchemy import Column, inspect

from vigia.stores.sql import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, unless an interrupted migration has. Living workers write their rows anew."""
    if not op.get_context().as_sql:
        held = inspect(op.get_bind()).get_columns("workers")
        if any(each["name"] == "slot" for each in held):
            return
    op.add_column("workers", Column("slot", types.small(), nullable=False, server_default="0", quote=True))
