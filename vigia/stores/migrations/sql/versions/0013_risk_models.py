"""Retrained risk models, what people did with them, and what they say of deployments beside the online model."""

from sqlalchemy import MetaData

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    creating.create(
        table(
            MetaData(),
            "risk_models",
            column("name", types.name(64), key=True),
            column("kind", types.name(64)),
            column("label", types.name(32)),
            column("scope", types.name()),
            column("created_at", types.real()),
            column("first_at", types.real()),
            column("last_at", types.real()),
            column("deployments", types.integer()),
            column("failures", types.integer()),
            column("code_version", types.name(64)),
            column("metrics", types.text()),
            column("digest", types.name(64)),
            column("types", types.text()),
            column("status", types.name(16)),
            column("body", types.body()),
            clustered=False,
        )
    )
    creating.create(
        table(
            MetaData(),
            "risk_model_changes",
            column("name", types.name(64), key=True),
            column("number", types.integer(), key=True),
            column("status", types.name(16)),
            column("at", types.real()),
            column("by", types.name()),
            column("because", types.text()),
        )
    )
    creating.create(
        table(
            MetaData(),
            "shadow_scores",
            column("model", types.name(64), key=True),
            column("deployment_id", types.name(), key=True),
            column("scope", types.name(), key=True),
            column("probability", types.real()),
            column("online", types.real(), null=True),
            column("scored_at", types.real()),
            column("at", types.real()),
        )
    )
