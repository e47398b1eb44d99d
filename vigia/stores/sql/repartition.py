"""States, timers and remembered ids of an agent's lanes go to the lanes that they then belong to: in one transaction.

States and timers move by their keys alone, inside the database. Of a remembered id nobody knows the key, so it goes to
every lane that the key may have gone to: a record that is sent again is told apart wherever it arrives.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from vigia.events.effects import Timer
from vigia.stores.base import LaneId, LaneRow
from vigia.stores.errors import Conflict
from vigia.stores.sql import interventions, lanes
from vigia.stores.sql.conditions import CHUNK, chunks, in_lane
from vigia.stores.sql.database import Database
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.tables import due, lane_topics, seen, states
from vigia.stores.sql.tables import lanes as lane_rows

PAGE = 10_000
"""Most rows that are read at once."""

Told = Callable[[str, int], None]
"""Is told of what (`states`, `timers`, `ids`) how many more rows were looked at."""

SeenAs = tuple[bytes, float, int, bytes]
"""Id, when it was seen, in which lane, content."""


class Plan(Protocol):
    """Where everything goes; `vigia.streaming.repartition.Repartition` is one."""

    @property
    def agent(self) -> str:
        """Whose lanes they are."""

    def lane_of(self, state_key: str) -> int:
        """Return the lane in which a state then lies."""

    def state_key_of(self, timer: Timer) -> str:
        """Return the key of a state that a timer goes with."""

    def shared(self) -> list[tuple[list[int], list[int]]]:
        """Return the lanes there are and will be in groups: no key leaves its group."""


class Change(NamedTuple):
    """What a repartition does to the lanes themselves. `held` are their rows as they were taken over, `rows` as they
    shall be, those of new lanes among them; `done` is its record, one for each of `rows`.
    """

    held: Sequence[LaneRow]
    rows: Sequence[LaneRow]
    done: Sequence[Intervention]


def repartition(database: Database, plan: Plan, change: Change, told: Told) -> None:
    """Do it, or nothing of it. Raises Conflict when a lane is not as it was taken over, or a new one is there."""

    def work(connection: Connection) -> None:
        held = {row.lane: row.version for row in change.held}
        for row in change.rows:
            if row.lane in held:
                lanes.swap(connection, row, held[row.lane])
            else:
                _begin(connection, row)
        old = sorted(lane.partition for lane in held)
        for number in old:
            _move_states(connection, plan, number, told)
            _move_timers(connection, plan, number, told)
        for before, after in plan.shared():
            _spread_seen(database, connection, plan.agent, (before, after), told)
        _copy_topic_ids(database, connection, [row.lane for row in change.rows])
        for done in change.done:
            interventions.write(database, connection, done)

    database.write(work)


def state_keys(database: Database, lane: LaneId) -> Iterator[str]:
    """Return the keys of a lane's states, in order."""
    with database.reading() as connection:
        for page in _pages(connection, lane):
            yield from page


def timers_of(database: Database, lane: LaneId) -> list[Timer]:
    """Return all timers of a lane."""
    query = select(due.c.kind, due.c.key, due.c.due).where(in_lane(due, lane)).order_by(due.c.kind, due.c.key)
    return [Timer(*row) for row in database.fetch(query)]


def _begin(connection: Connection, row: LaneRow) -> None:
    try:
        connection.execute(insert(lane_rows).values(lanes.values_of(row)))
    except IntegrityError as error:
        raise Conflict(f"lane {row.lane} is there already: a worker has begun it") from error


def _move_states(connection: Connection, plan: Plan, number: int, told: Told) -> None:
    lane = LaneId(plan.agent, number)
    for page in _pages(connection, lane):
        leaving: defaultdict[int, list[str]] = defaultdict(list)
        for key in page:
            if (home := plan.lane_of(key)) != number:
                leaving[home].append(key)
        for home, keys in sorted(leaving.items()):
            for some in chunks(keys):
                condition = in_lane(states, lane) & states.c.key.in_(some)
                connection.execute(update(states).where(condition).values(partition=home))
        told("states", len(page))


def _pages(connection: Connection, lane: LaneId) -> Iterator[list[str]]:
    """Return the keys of a lane's states, page by page: rows that leave or come meanwhile do not disturb it."""
    after = ""
    while True:
        query = select(states.c.key).where(in_lane(states, lane), states.c.key > after)
        page = list(connection.execute(query.order_by(states.c.key).limit(PAGE)).scalars())
        if page:
            yield page
            after = page[-1]
        if len(page) < PAGE:
            return


def _move_timers(connection: Connection, plan: Plan, number: int, told: Told) -> None:
    lane = LaneId(plan.agent, number)
    # all at once: they are few and small, and paging by two columns is written differently everywhere
    rows = connection.execute(select(due.c.kind, due.c.key, due.c.due).where(in_lane(due, lane))).all()
    leaving: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for row in rows:
        timer = Timer(*row)
        if (home := plan.lane_of(plan.state_key_of(timer))) != number:
            leaving[home, timer.kind].append(timer.key)
    for (home, kind), keys in sorted(leaving.items()):
        for some in chunks(sorted(keys)):
            condition = in_lane(due, lane) & (due.c.kind == kind) & due.c.key.in_(some)
            connection.execute(update(due).where(condition).values(partition=home))
    told("timers", len(rows))


def _spread_seen(
    database: Database, connection: Connection, agent: str, group: tuple[list[int], list[int]], told: Told
) -> None:
    """Give every lane of a group all ids that any of them remembers; of two memories of an id the later one counts."""
    before, after = group
    everywhere = heapq.merge(*(_seen_in(connection, LaneId(agent, number)) for number in before))
    missing: dict[int, list[tuple[object, ...]]] = {number: [] for number in after}
    for _, memories in groupby(everywhere, key=itemgetter(0)):
        known = list(memories)
        seen_id, seen_at, _, content = known[-1]
        right = {number for _, at, number, what in known if (at, what) == (seen_at, content)}
        for number in after:
            if number not in right:
                missing[number].append((agent, number, seen_id, content, seen_at))
        told("ids", len(known))
        for rows in missing.values():
            if len(rows) >= CHUNK:
                database.statements.write(connection, seen, rows)
                rows.clear()
    for rows in missing.values():
        database.statements.write(connection, seen, rows)


def _seen_in(connection: Connection, lane: LaneId) -> Iterator[SeenAs]:
    """Return what a lane remembers by its id; rows that come meanwhile lie before the page that is read next."""
    after = b""
    while True:
        query = select(seen.c.seen_id, seen.c.seen_at, seen.c.content).where(in_lane(seen, lane))
        page = connection.execute(query.where(seen.c.seen_id > after).order_by(seen.c.seen_id).limit(PAGE)).all()
        for seen_id, seen_at, content in page:
            yield seen_id, seen_at, lane.partition, content
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _copy_topic_ids(database: Database, connection: Connection, of: Sequence[LaneId]) -> None:
    """Let new lanes know the ids of the topics that the others have read: a topic has one for all its partitions."""
    known = {
        (row.topic, row.topic_id)
        for lane in of
        for row in connection.execute(select(lane_topics).where(in_lane(lane_topics, lane)))
    }
    rows = [(*lane, topic, topic_id) for lane in of for topic, topic_id in sorted(known)]
    database.statements.write(connection, lane_topics, rows)
