"""Rows of `steps`: the order in which a lane applied its records."""

from sqlalchemy import Connection, select

from vigia.stores.base import LaneId, StepRow
from vigia.stores.sql.conditions import in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import steps

_COLUMNS = [column for column in steps.columns if column.name not in {"agent", "partition"}]


def read(database: Database, lane: LaneId, after: int, limit: int) -> list[StepRow]:
    """Return applied steps with sequence > `after`, in order."""
    query = select(*_COLUMNS).where(in_lane(steps, lane), steps.c.sequence > after)
    return [StepRow(*row) for row in database.fetch(query.order_by(steps.c.sequence).limit(limit))]


def write(database: Database, connection: Connection, lane: LaneId, row: StepRow) -> None:
    """Add an applied step."""
    values = (*lane, row.sequence, row.topic, row.cluster_id, row.first_offset, row.last_offset, row.clock)
    database.statements.write(connection, steps, [values])
