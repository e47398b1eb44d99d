"""The tables that belong to lanes and steps. The summaries' own tables are in `summary_tables`.

Primary keys are the access paths of a step: every read and write of a step is a lookup or a short range of one. InnoDB
stores rows in the order of that key, so a lane's rows lie together. `partition` in it keeps lanes from touching each
other's rows, and a repartition can find them. All identifiers are quoted: `key`, `partition` and `count` are
words of one SQL dialect or another.
"""

from typing import Any

from sqlalchemy import Column, Index, MetaData

from vigia.stores.sql import types
from vigia.stores.sql.building import column, table

metadata = MetaData()


def _lane() -> tuple[Column[Any], Column[Any]]:
    return column("agent", types.name(64), key=True), column("partition", types.small(), key=True)


lanes = table(
    metadata,
    "lanes",
    *_lane(),
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

lane_topics = table(
    metadata,
    "lane_topics",
    *_lane(),
    column("topic", types.name(249), key=True),
    column("topic_id", types.name()),
)

steps = table(
    metadata,
    "steps",
    *_lane(),
    column("sequence", types.integer(), key=True),
    column("topic", types.name(249)),
    column("cluster_id", types.name()),
    column("first_offset", types.integer()),
    column("last_offset", types.integer()),
    column("clock", types.real()),
)

interventions = table(
    metadata,
    "interventions",
    *_lane(),
    column("sequence", types.integer(), key=True),
    column("kind", types.name(16)),
    column("topic", types.name(249)),
    column("before", types.integer()),
    column("after", types.integer()),
    column("at", types.real()),
    column("by", types.name()),
    column("because", types.text()),
)

states = table(
    metadata,
    "states",
    *_lane(),
    column("key", types.name(types.MAX_STATE_KEY), key=True),
    column("schema", types.small()),
    column("body", types.body()),
    clustered=False,
)

due = table(
    metadata,
    "due",
    *_lane(),
    column("kind", types.name(40), key=True),
    column("key", types.name(types.MAX_STATE_KEY), key=True),
    column("due", types.real()),
    # ordered by (due, kind, key): the primary key is the tail of every secondary one, in InnoDB and without a rowid
    Index("due_by_time", "agent", "partition", "due"),
)

seen = table(
    metadata,
    "seen",
    *_lane(),
    column("seen_id", types.digest(), key=True),
    column("content", types.digest()),
    column("seen_at", types.real()),
    Index("seen_by_time", "agent", "partition", "seen_at"),
)

outbox = table(
    metadata,
    "outbox",
    *_lane(),
    column("number", types.integer(), key=True),
    column("topic", types.name(249)),
    column("key", types.body()),
    column("value", types.body()),
    column("headers", types.body()),
    column("to_partition", types.small(), null=True),
    clustered=False,
)

dead_letters = table(
    metadata,
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
    Index("dead_letters_by_time", "at", "letter_id"),
    Index("dead_letters_by_status", "status", "at", "letter_id"),
    Index("dead_letters_by_reason", "status", "topic", "reason"),
    clustered=False,
)

attempts = table(
    metadata,
    "attempts",
    *_lane(),
    column("topic", types.name(249), key=True),
    column("offset", types.integer(), key=True),
    column("count", types.small()),
    column("error", types.long_text()),
)

pruned = table(
    metadata,
    "pruned",
    column("service", types.name(), key=True),
    column("windows_from", types.integer()),
    column("hours_from", types.integer()),
    column("days_from", types.integer()),
)

workers = table(
    metadata,
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
    column("slot", types.small()),
)

risk_models = table(
    metadata,
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

risk_model_changes = table(
    metadata,
    "risk_model_changes",
    column("name", types.name(64), key=True),
    column("number", types.integer(), key=True),
    column("status", types.name(16)),
    column("at", types.real()),
    column("by", types.name()),
    column("because", types.text()),
)

shadow_scores = table(
    metadata,
    "shadow_scores",
    column("model", types.name(64), key=True),
    column("deployment_id", types.name(), key=True),
    column("scope", types.name(), key=True),
    column("probability", types.real()),
    column("online", types.real(), null=True),
    column("scored_at", types.real()),
    column("at", types.real()),
)
