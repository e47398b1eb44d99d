"""The whole rebuild: where the live lanes stand now, and each lane of the rebuilt database brought there."""

from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from scripts.rebuilding import places
from scripts.rebuilding.eras import eras_of
from scripts.rebuilding.errors import RebuildStopped
from scripts.rebuilding.past import Act
from scripts.rebuilding.places import Place
from scripts.rebuilding.quiet import quiet_ports
from scripts.rebuilding.replay import LaneReplay
from scripts.rebuilding.set_aside import read_set_aside
from vigia.app.steps import make_steps
from vigia.settings import Settings
from vigia.stores.base import LaneId, LaneRow, RawLog


class Watch(Protocol):
    """Is told how far a rebuild is."""

    def begin(self, lanes: int, steps: int) -> None:
        """So much is to be done."""

    def lane(self, lane: LaneId) -> None:
        """This lane is next."""

    def step(self, step: Act, records: int) -> None:
        """This step, or what a person did in the place of one, is done."""


@dataclass(frozen=True)
class Behind:
    """A live lane, and how many of its steps the rebuilt database has."""

    live: LaneRow
    rebuilt: LaneRow | None

    @property
    def steps(self) -> int:
        """Steps that are missing."""
        return self.live.step - (self.rebuilt.step if self.rebuilt else 0)

    @property
    def lane(self) -> str:
        """The lane's name."""
        return f"{self.live.lane.agent}/{self.live.lane.partition}"


def positions(live: Place, rebuilt: Place) -> list[Behind]:
    """Return all live lanes beside the rebuilt ones."""
    if not places.exists(live, rebuilt):
        return [Behind(row, None) for row in live.summaries.lanes()]
    held = {row.lane: row for row in rebuilt.summaries.lanes()}
    return [Behind(row, held.get(row.lane)) for row in live.summaries.lanes()]


async def rebuild(settings: Settings, live: Place, rebuilt: Place, raw_log: RawLog, watch: Watch) -> None:
    """Bring the rebuilt database to where the live one stands as this begins; goes on where an earlier run ended.

    Raises RebuildStopped when the raw log cannot give what was applied.
    """
    places.create(live, rebuilt)
    todo = positions(live, rebuilt)
    ports = quiet_ports(rebuilt, settings.stream.retry_budget)
    steps = make_steps(settings, ports)
    unknown = sorted({each.live.lane.agent for each in todo} - steps.keys())
    if unknown:
        raise RebuildStopped(f"the live database has lanes of agents that this release lacks: {', '.join(unknown)}")
    aside = read_set_aside(live)
    watch.begin(len(todo), sum(max(0, each.steps) for each in todo))
    cache = settings.stream.state_cache_entries
    for agent, of_agent in groupby((each.live for each in todo), key=lambda row: row.lane.agent):
        targets = {row.lane: row for row in of_agent}
        replays = {
            lane: LaneReplay(row, steps[agent], live.summaries, rebuilt.summaries, aside[lane])
            for lane, row in targets.items()
        }
        for era in eras_of(live.summaries, targets.values()):
            if era.is_over(row for row in rebuilt.summaries.lanes() if row.lane.agent == agent):
                continue
            for lane, end in sorted(era.done.items()):
                if lane.partition < era.before:
                    watch.lane(lane)
                    await replays[lane].run_to(end, raw_log, cache, watch.step)
            era.end(steps[agent].route, rebuilt.summaries)
            for end in era.done.values():
                watch.step(end, 0)
        for lane, replay in replays.items():
            watch.lane(lane)
            await replay.run(raw_log, cache, watch.step)
