"""Where every lane is."""

import msgspec
from sqlalchemy import select

from vigia.stores.queries.reader import Reader
from vigia.stores.sql.lanes import decode_numbers
from vigia.stores.sql.tables import lanes


class LanePosition(msgspec.Struct, frozen=True):
    """A lane's next offset per topic, its clock (epoch seconds), steps applied, why it is stopped, and its owner."""

    agent: str
    partition: int
    offsets: dict[str, int]
    clock: float
    step: int
    stopped: str
    owner: str


def lane_positions(reader: Reader) -> list[LanePosition]:
    """Return all lanes, by agent and partition."""
    columns = (
        lanes.c.agent,
        lanes.c.partition,
        lanes.c.offsets,
        lanes.c.clock,
        lanes.c.step,
        lanes.c.stopped,
        lanes.c.owner,
    )
    rows = reader.fetch(select(*columns).order_by(lanes.c.agent, lanes.c.partition))
    return [LanePosition(agent, partition, decode_numbers(offsets), *rest) for agent, partition, offsets, *rest in rows]
