"""Rows of `lanes`: read, taken over, swapped, released."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from vigia.stores.base import LaneId, LaneRow
from vigia.stores.errors import Conflict
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import lanes

_COLUMNS = [column.name for column in lanes.columns if not column.primary_key]
_NUMBERS = msgspec.json.Decoder(dict[str, int])


def acquire(database: Database, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
    """Take the lane over: see `Summaries.acquire`."""
    first = LaneRow(
        lane=lane,
        version=1,
        step=0,
        cluster_id=cluster_id,
        partition_count=partition_count,
        offsets={},
        clock=0.0,
        outbox_next=0,
        counts={},
        owner=owner,
    )

    def work(connection: Connection) -> LaneRow:
        # one statement makes the row or raises its version, so that of two workers each gets a version of its own
        connection.execute(database.statements.acquire, values_of(first))
        return _row(connection.execute(select(lanes).where(_is(lane))).one())

    return database.write(work)


def read(database: Database, lane: LaneId) -> LaneRow | None:
    """Return the lane's row, if it has one."""
    rows = database.fetch(select(lanes).where(_is(lane)))
    return _row(rows[0]) if rows else None


def read_all(database: Database) -> list[LaneRow]:
    """Return all lanes, by agent and partition."""
    return [_row(row) for row in database.fetch(select(lanes).order_by(lanes.c.agent, lanes.c.partition))]


def swap(connection: Connection, row: LaneRow, expected_version: int) -> None:
    """Replace the lane's row if its version is the expected one; else raise Conflict."""
    condition = _is(row.lane) & (lanes.c.version == expected_version)
    values = values_of(row)
    changed = connection.execute(update(lanes).where(condition).values({name: values[name] for name in _COLUMNS}))
    if changed.rowcount != 1:
        raise Conflict(f"{row.lane} no longer has version {expected_version}: it has another owner")


def release(database: Database, lane: LaneId) -> bool:
    """Let a stopped lane go on. The version stays: its owner reads the row again and goes on."""
    cleared = {"stopped": "", "flood_seen": 0, "flood_invalid": 0, "flood_run": 0}

    def work(connection: Connection) -> bool:
        return connection.execute(update(lanes).where(_is(lane), lanes.c.stopped != "").values(cleared)).rowcount == 1

    return database.write(work)


def _is(lane: LaneId) -> Any:
    return (lanes.c.agent == lane.agent) & (lanes.c.partition == lane.partition)


def values_of(row: LaneRow) -> dict[str, Any]:
    """Return a row's values by column."""
    values = msgspec.structs.asdict(row)
    del values["lane"]
    return values | {
        "agent": row.lane.agent,
        "partition": row.lane.partition,
        "offsets": encode_numbers(row.offsets),
        "counts": encode_numbers(row.counts),
    }


def _row(row: Row[*tuple[Any, ...]]) -> LaneRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    lane = LaneId(values.pop("agent"), values.pop("partition"))
    return LaneRow(
        **values | {"lane": lane, "offsets": decode_numbers(row.offsets), "counts": decode_numbers(row.counts)}
    )


def encode_numbers(numbers: Mapping[str, int]) -> str:
    """Return JSON that is the same for equal mappings."""
    return msgspec.json.encode(numbers, order="sorted").decode()


def decode_numbers(text: str) -> dict[str, int]:
    """Return what `encode_numbers` was given."""
    return _NUMBERS.decode(text)
