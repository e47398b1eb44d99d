"""Rows of `outbox`: outputs that wait to be published."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from vigia.stores.base import LaneId, OutboxRow
from vigia.stores.sql.conditions import chunks, in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import outbox

_HEADERS = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


def read(database: Database, lane: LaneId, limit: int) -> list[OutboxRow]:
    """Return the lane's first `limit` outputs, by number."""
    columns = (outbox.c.number, outbox.c.topic, outbox.c.key, outbox.c.value, outbox.c.headers, outbox.c.to_partition)
    rows = database.fetch(select(*columns).where(in_lane(outbox, lane)).order_by(outbox.c.number).limit(limit))
    return [
        OutboxRow(number, topic, key, value, _HEADERS.decode(headers), partition)
        for number, topic, key, value, headers, partition in rows
    ]


def write(database: Database, connection: Connection, lane: LaneId, rows: Sequence[OutboxRow]) -> None:
    """Add outputs."""
    values = [
        (*lane, row.number, row.topic, row.key, row.value, msgspec.msgpack.encode(row.headers), row.partition)
        for row in sorted(rows, key=lambda row: row.number)
    ]
    database.statements.write(connection, outbox, values)


def delete_published(database: Database, lane: LaneId, numbers: Sequence[int]) -> None:
    """Delete outputs by their numbers."""

    def work(connection: Connection) -> None:
        for some in chunks(sorted(numbers)):
            connection.execute(delete(outbox).where(in_lane(outbox, lane), outbox.c.number.in_(some)))

    if numbers:
        database.write(work)
