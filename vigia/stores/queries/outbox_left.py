"""How many outputs of each lane wait for the broker's acknowledgement."""

from sqlalchemy import func, select

from vigia.stores.base import LaneId
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.tables import outbox


def outbox_left(reader: Reader) -> dict[LaneId, int]:
    """Return the number by lane; lanes without any are left out."""
    lane = (outbox.c.agent, outbox.c.partition)
    rows = reader.fetch(select(*lane, func.count()).group_by(*lane))
    return {LaneId(agent, partition): count for agent, partition, count in rows}
