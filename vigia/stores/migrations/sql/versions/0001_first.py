"""The first schema: lanes, steps, states, timers, seen ids, outbox, dead letters, attempts, and the summaries."""

from typing import Any

from sqlalchemy import Column, Computed, Index, MetaData, func

from vigia.stores.sql import creating, types
from vigia.stores.sql.building import column, table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def create(name: str, *parts: Any, clustered: bool = True) -> None:
    """Create a table."""
    creating.create(table(MetaData(), name, *parts, clustered=clustered))


def latest_at() -> Column[Any]:
    """The time of a deployment's latest stage."""
    stages: list[Column[Any]] = [Column(stage, quote=True) for stage in ("finished_at", "started_at", "planned_at")]
    return Column("latest_at", types.real(), Computed(func.coalesce(*stages), persisted=False), quote=True)


def upgrade() -> None:
    """Create all tables."""
    create(
        "lanes",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("version", types.integer()),
        column("step", types.integer()),
        column("cluster_id", types.name()),
        column("partition_count", types.small()),
        column("offsets", types.text()),
        column("clock", types.real()),
        column("outbox_next", types.integer()),
        column("counts", types.text()),
        column("flood_seen", types.integer()),
        column("flood_invalid", types.integer()),
        column("flood_run", types.integer()),
        column("stopped", types.text()),
        column("owner", types.name()),
    )
    create(
        "steps",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("sequence", types.integer(), key=True),
        column("topic", types.name(249)),
        column("cluster_id", types.name()),
        column("first_offset", types.integer()),
        column("last_offset", types.integer()),
        column("clock", types.real()),
    )
    create(
        "states",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("key", types.name(640), key=True),
        column("schema", types.small()),
        column("body", types.body()),
        clustered=False,
    )
    create(
        "due",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("kind", types.name(40), key=True),
        column("key", types.name(640), key=True),
        column("due", types.real()),
        Index("due_by_time", "agent", "partition", "due"),
    )
    create(
        "seen",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("seen_id", types.digest(), key=True),
        column("content", types.digest()),
        column("seen_at", types.real()),
        Index("seen_by_time", "agent", "partition", "seen_at"),
    )
    create(
        "outbox",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("number", types.integer(), key=True),
        column("topic", types.name(249)),
        column("key", types.body()),
        column("value", types.body()),
        column("headers", types.body()),
        column("to_partition", types.small(), null=True),
        clustered=False,
    )
    create(
        "dead_letters",
        column("letter_id", types.name(), key=True),
        column("agent", types.name(64)),
        column("partition", types.small()),
        column("cluster_id", types.name()),
        column("topic", types.name(249)),
        column("offset", types.integer()),
        column("position", types.small()),
        column("reason", types.name(64)),
        column("detail", types.long_text()),
        column("at", types.real()),
        column("key", types.body()),
        column("body", types.body()),
        column("body_size", types.integer()),
        column("status", types.name(16)),
        Index("dead_letters_by_reason", "status", "topic", "reason"),
        Index("dead_letters_by_status", "status", "at", "letter_id"),
        Index("dead_letters_by_time", "at", "letter_id"),
        clustered=False,
    )
    create(
        "attempts",
        column("agent", types.name(64), key=True),
        column("partition", types.small(), key=True),
        column("topic", types.name(249), key=True),
        column("offset", types.integer(), key=True),
        column("count", types.small()),
        column("error", types.long_text()),
    )
    create(
        "series",
        column("series_id", types.HexId(), key=True),
        column("service", types.name()),
        column("environment", types.name()),
        column("metric", types.name()),
        column("labels", types.text()),
        column("kind", types.name()),
        column("unit", types.name()),
        column("first_seen", types.real()),
        Index("series_by_name", "service", "environment", "metric"),
    )
    create(
        "windows",
        column("series_id", types.HexId(), key=True),
        column("start", types.integer(), key=True),
        column("count", types.integer()),
        column("sum", types.real()),
        column("min", types.real()),
        column("max", types.real()),
        column("sketch", types.body()),
        column("late", types.integer()),
    )
    create(
        "deployments",
        column("deployment_id", types.name(), key=True),
        column("source", types.name()),
        column("external_id", types.name()),
        column("scope", types.name(), key=True),
        column("service", types.name()),
        column("environment", types.name()),
        column("version", types.name()),
        column("stage", types.name()),
        column("status", types.name()),
        column("planned_at", types.real(), null=True),
        column("started_at", types.real(), null=True),
        column("finished_at", types.real(), null=True),
        column("risk", types.real(), null=True),
        column("model", types.name()),
        column("outcome", types.name()),
        column("outcome_label", types.name()),
        column("outcome_at", types.real(), null=True),
        column("commits", types.integer()),
        latest_at(),
        Index("deployments_by_time", "latest_at", "deployment_id"),
    )
    create(
        "incidents",
        column("incident_id", types.name(), key=True),
        column("source", types.name()),
        column("external_id", types.name()),
        column("scope", types.name(), key=True),
        column("service", types.name()),
        column("environment", types.name()),
        column("severity", types.name()),
        column("title", types.text()),
        column("opened_at", types.real(), null=True),
        column("resolved_at", types.real(), null=True),
    )
    create(
        "problems",
        column("problem_id", types.name(), key=True),
        column("service", types.name()),
        column("environment", types.name()),
        column("series_id", types.HexId()),
        column("metric", types.name()),
        column("detector", types.name()),
        column("severity", types.name()),
        column("status", types.name()),
        column("opened_at", types.real()),
        column("at", types.real()),
        column("why", types.text()),
        column("version", types.integer()),
        Index("problems_by_status", "status", "opened_at", "problem_id"),
    )
    create(
        "proposals",
        column("proposal_id", types.name(), key=True),
        column("problem_id", types.name()),
        column("service", types.name()),
        column("environment", types.name()),
        column("action", types.name()),
        column("severity", types.name()),
        column("status", types.name()),
        column("at", types.real()),
        column("expires_at", types.real()),
        column("why", types.text()),
        column("version", types.integer()),
        Index("proposals_by_status", "status", "at", "proposal_id"),
    )
    create(
        "ai_decisions",
        column("agent", types.name(), key=True),
        column("decision_id", types.name(), key=True),
        column("decision_type", types.name()),
        column("decision", types.name()),
        column("at", types.real()),
        column("confidence", types.real(), null=True),
        column("execution_time", types.real(), null=True),
        column("model_version", types.name()),
        column("reference", types.name()),
    )
    create(
        "verdicts",
        column("verdict_id", types.name(), key=True),
        column("proposal_id", types.name()),
        column("proposal_version", types.integer()),
        column("service", types.name()),
        column("decision", types.name()),
        column("by", types.name()),
        column("at", types.real()),
        column("reason", types.text()),
    )
