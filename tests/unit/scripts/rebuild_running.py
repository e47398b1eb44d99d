"""Rebuilding and comparing as tests do it: on the stores of a folder, with what they say kept."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from scripts.rebuilding import places
from scripts.rebuilding.comparing import Report, compare
from scripts.rebuilding.past import Act
from scripts.rebuilding.running import rebuild
from scripts.rebuilding.swapping import swap
from tests.unit.scripts.rebuild_world import World
from vigia.app.opening import opened_summaries
from vigia.settings import Settings
from vigia.stores.base import LaneId
from vigia.stores.raw import open_raw_log
from vigia.stores.sql.interventions import Intervention


class Watched:
    """Counts what a rebuild tells, and kills it after `steps_left` steps."""

    def __init__(self, steps_left: int = 10**9) -> None:
        self.steps_left = steps_left
        self.steps = self.records = self.planned = 0
        self.lanes: list[LaneId] = []

    def begin(self, lanes: int, steps: int) -> None:
        self.planned = steps

    def lane(self, lane: LaneId) -> None:
        self.lanes.append(lane)

    def step(self, step: Act, records: int) -> None:
        self.steps += 1
        self.records += records
        self.steps_left -= 1
        if not self.steps_left:
            raise KeyboardInterrupt


def lived(settings: Settings, seed: int, records: int) -> None:
    """Let all agents work on random events for a while."""
    world = World(settings, seed)
    asyncio.run(world.live(records))
    world.close()


def moved(settings: Settings, lane: LaneId, topic: str, by: int) -> None:
    """Set a lane's offset by hand, so many offsets ahead or, less than 0, back."""
    with opened_summaries(settings, read_only=False) as summaries:
        row = summaries.read_lane(lane)
        assert row is not None
        done = Intervention(
            lane=lane,
            sequence=row.step + 1,
            kind="move",
            topic=topic,
            before=row.offsets[topic],
            after=row.offsets[topic] + by,
            at=1.0,
            by="ada@desk",
            because="a test",
        )
        summaries.move_lane(row, done, forget_topic=False)


def rebuilt(settings: Settings, watch: Watched | None = None) -> Watched:
    """Run a rebuild, and return what it told."""
    watch = watch or Watched()
    live, other, raw_log = (
        places.live_place(settings),
        places.rebuilt_place(settings),
        open_raw_log(settings.raw_log.url),
    )
    try:
        asyncio.run(rebuild(settings, live, other, raw_log, watch))
    finally:
        live.close()
        other.close()
        raw_log.close()
    return watch


def compared(settings: Settings, tolerance: float = 0.0, first: int = 10) -> Report:
    """Compare, to the last bit unless said otherwise."""
    live, other, raw_log = (
        places.live_place(settings),
        places.rebuilt_place(settings),
        open_raw_log(settings.raw_log.url),
    )
    try:
        return compare(settings, live, other, raw_log, tolerance=tolerance, first=first)
    finally:
        live.close()
        other.close()
        raw_log.close()


def swapped(settings: Settings, *, dry: bool = False) -> Path:
    """Swap without waiting; returns the file that was replaced."""
    live, other = places.live_place(settings, read_only=False), places.rebuilt_place(settings)
    try:
        return Path(swap(live, other, lambda _text: None, watch=0.0, dry=dry))
    finally:
        live.close()
        other.close()


def execute(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement on a SQLite file behind everybody's back."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(sql, values).fetchall()
        connection.commit()
        return rows
