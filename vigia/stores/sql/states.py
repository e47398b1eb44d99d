"""Rows of `states` and `seen`: what a step loads beforehand, and writes."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from vigia.stores.base import LaneId, Loaded, SeenRow, StateRow
from vigia.stores.sql.conditions import chunks, in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.tables import seen, states

FORGET_AT_ONCE = 10_000
"""Most seen rows that one commit deletes: the rest waits for the next."""


def load(database: Database, lane: LaneId, state_keys: Sequence[str], seen_ids: Sequence[bytes]) -> Loaded:
    """Return the states and seen ids that exist among those asked for."""
    if not state_keys and not seen_ids:
        return Loaded()
    found_states: dict[str, StateRow] = {}
    found_seen: dict[bytes, bytes] = {}
    with database.reading() as connection:
        for keys in chunks(state_keys):
            query = select(states.c.key, states.c.schema, states.c.body).where(
                in_lane(states, lane), states.c.key.in_(keys)
            )
            found_states.update((row[0], StateRow(*row)) for row in connection.execute(query))
        for ids in chunks(seen_ids):
            known = select(seen.c.seen_id, seen.c.content).where(in_lane(seen, lane), seen.c.seen_id.in_(ids))
            found_seen.update((row[0], row[1]) for row in connection.execute(known))
    return Loaded(found_states, found_seen)


def write_states(database: Database, connection: Connection, lane: LaneId, rows: Sequence[StateRow]) -> None:
    """Insert, replace and delete states, in key order."""
    ordered = sorted(rows, key=lambda row: row.key)
    kept = [(*lane, row.key, row.schema, row.body) for row in ordered if row.body is not None]
    database.statements.write(connection, states, kept)
    for keys in chunks([row.key for row in ordered if row.body is None]):
        connection.execute(delete(states).where(in_lane(states, lane), states.c.key.in_(keys)))


def write_seen(
    database: Database, connection: Connection, lane: LaneId, rows: Sequence[SeenRow], forget_before: float | None
) -> None:
    """Remember event ids, and forget a bounded number of old ones: more than are added."""
    ordered = sorted(rows, key=lambda row: row.seen_id)
    database.statements.write(connection, seen, [(*lane, row.seen_id, row.content, row.seen_at) for row in ordered])
    if forget_before is not None:
        _forget(connection, lane, forget_before, max(FORGET_AT_ONCE, 2 * len(rows)))


def _forget(connection: Connection, lane: LaneId, before: float, most: int) -> None:
    old = select(seen.c.seen_id).where(in_lane(seen, lane), seen.c.seen_at < before)
    oldest = old.order_by(seen.c.seen_at, seen.c.seen_id).limit(most)
    # not DELETE ... ORDER BY ... LIMIT: SQLite lacks it, and MariaDB sorts the whole lane for it
    for ids in chunks(sorted(connection.execute(oldest).scalars())):
        connection.execute(delete(seen).where(in_lane(seen, lane), seen.c.seen_id.in_(ids)))
