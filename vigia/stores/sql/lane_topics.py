"""Rows of `lane_topics`: the ids that the broker has given to the topics a lane reads. A step does not touch them."""

from collections.abc import Mapping

from sqlalchemy import select

from vigia.stores.base import LaneId
from vigia.stores.sql.conditions import in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import lane_topics


def read(database: Database, lane: LaneId) -> dict[str, str]:
    """Return topic ids by name."""
    rows = database.fetch(select(lane_topics.c.topic, lane_topics.c.topic_id).where(in_lane(lane_topics, lane)))
    return {row.topic: row.topic_id for row in rows}


def write(database: Database, lane: LaneId, ids: Mapping[str, str]) -> None:
    """Write topic ids by name."""
    rows = [(lane.agent, lane.partition, topic, topic_id) for topic, topic_id in sorted(ids.items())]
    database.write(lambda connection: database.statements.write(connection, lane_topics, rows))
