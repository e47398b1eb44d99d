"""Rows of `attempts`: how often a step that starts at an offset has ended the process."""

from sqlalchemy import Connection, select

from vigia.stores.base import LaneId
from vigia.stores.sql.conditions import in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import attempts

MAX_ERROR = 16_000
"""Characters that are kept of the last error."""


def read(database: Database, lane: LaneId, topic: str, offset: int) -> int:
    """Return the number of ends so far."""
    with database.reading() as connection:
        return _count(connection, lane, topic, offset)


def record(database: Database, lane: LaneId, topic: str, offset: int, error: str) -> int:
    """Count one more end; returns the new number."""
    first = {
        "agent": lane.agent,
        "partition": lane.partition,
        "topic": topic,
        "offset": offset,
        "count": 1,
        "error": error[-MAX_ERROR:],  # a traceback says what matters at its end
    }

    def work(connection: Connection) -> int:
        connection.execute(database.statements.count_attempt, first)
        return _count(connection, lane, topic, offset)

    return database.write(work)


def _count(connection: Connection, lane: LaneId, topic: str, offset: int) -> int:
    place = in_lane(attempts, lane) & (attempts.c.topic == topic) & (attempts.c.offset == offset)
    return connection.execute(select(attempts.c.count).where(place)).scalar_one_or_none() or 0
