"""Signs of life of workers."""

from sqlalchemy import MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of workers."""
    creating.create(
        table(
            MetaData(),
            "workers",
            column("worker", types.name(), key=True),
            column("host", types.name()),
            column("pid", types.integer()),
            column("version", types.name(64)),
            column("schemas", types.text()),
            column("started_at", types.real()),
            column("beat_at", types.real()),
            column("interval", types.real()),
            column("resident", types.integer()),
            column("lanes", types.long_text()),
        )
    )
