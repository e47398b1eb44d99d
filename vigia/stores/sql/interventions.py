"""Rows of `interventions`: what people did to lanes. Each has the number of a step of its lane, as if it were one.

So the order of steps and interventions is known, and a rebuild repeats them where they were done.
"""

from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, select

from vigia.stores.base import LaneId, LaneRow
from vigia.stores.sql import lanes
from vigia.stores.sql.conditions import in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import interventions, lane_topics


class Intervention(msgspec.Struct, frozen=True, kw_only=True):
    """One act on one lane, in the place of its step `sequence`.

    A `move` took the next offset of `topic` from `before` to `after`. A `repartition` took the number of partitions of
    all topics of the agent from `before` to `after`; its `topic` is empty. `at` is in epoch seconds, by the clock of
    who did it; `by` names them, and `because` is their reason.
    """

    lane: LaneId
    sequence: int
    kind: Literal["move", "repartition"]
    topic: str
    before: int
    after: int
    at: float
    by: str
    because: str


def read(database: Database, lane: LaneId) -> list[Intervention]:
    """Return the lane's interventions, in order."""
    columns = [column for column in interventions.columns if column.name not in {"agent", "partition"}]
    query = select(*columns).where(in_lane(interventions, lane)).order_by(interventions.c.sequence)
    return [Intervention(lane=lane, **row._mapping) for row in database.fetch(query)]  # noqa: SLF001 - public name


def write(database: Database, connection: Connection, done: Intervention) -> None:
    """Add one."""
    values = (*done.lane, done.sequence, done.kind, done.topic, done.before, done.after, done.at, done.by, done.because)
    database.statements.write(connection, interventions, [values])


def move(database: Database, row: LaneRow, done: Intervention, *, forget_topic: bool) -> LaneRow:
    """Take the lane `row` to the offset that `done` says, and return its row then; raises Conflict when it is another.

    With `forget_topic` the id of the topic that the lane has read is forgotten: it was created anew.
    """
    moved = msgspec.structs.replace(
        row, version=row.version + 1, step=done.sequence, offsets={**row.offsets, done.topic: done.after}
    )

    def work(connection: Connection) -> None:
        lanes.swap(connection, moved, row.version)
        write(database, connection, done)
        if forget_topic:
            known = in_lane(lane_topics, row.lane) & (lane_topics.c.topic == done.topic)
            connection.execute(delete(lane_topics).where(known))

    database.write(work)
    return moved
