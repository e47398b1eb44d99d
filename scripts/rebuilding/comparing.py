"""Compares the rebuilt database with the live one, table by table."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from scripts.rebuilding import holes, places
from scripts.rebuilding.differences import Comparer, Difference
from scripts.rebuilding.errors import RebuildStopped, TryAgain
from scripts.rebuilding.merging import side_by_side
from scripts.rebuilding.places import Place
from scripts.rebuilding.records import place_of
from scripts.rebuilding.running import positions
from scripts.rebuilding.tables import compared_tables
from vigia.app.routes import ROUTES
from vigia.settings import Settings
from vigia.stores.base import LaneRow, RawLog

TOLERANCE = 1e-9
"""Relative; for computed floats that are no times."""

HOLES_SHOWN = 5


@dataclass
class Report:
    """What a comparison has found: how many rows it has seen by table, how many differences, and the first of them."""

    first: int
    rows: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.found

    def add(self, difference: Difference) -> None:
        """Count a difference, and keep it if it is among the first of its table."""
        self.found[difference.table] += 1
        if self.found[difference.table] <= self.first:
            self.differences.append(difference)


def compare(
    settings: Settings, live: Place, rebuilt: Place, raw_log: RawLog, *, tolerance: float = TOLERANCE, first: int = 10
) -> Report:
    """Return how the two databases differ; keeps the `first` differences of each table.

    Raises TryAgain unless the rebuilt lanes stand exactly where the live ones do, before and after.
    """
    lanes = _standing_together(live, rebuilt)
    comparer = Comparer({row.name: row.model(settings) for row in ROUTES}, tolerance)
    report = Report(first)
    for table in compared_tables():
        for one, other in side_by_side(table, live, rebuilt):
            report.rows[table.name] += 1
            if one != other:
                for difference in comparer.rows(table, one, other):
                    report.add(difference)
    if [row.step for row in _standing_together(live, rebuilt)] != [row.step for row in lanes]:
        raise TryAgain("the live lanes moved on while they were compared: `run` once more, when workers are stopped")
    for row in lanes:
        _hold_against_raw_log(row, live, rebuilt, raw_log, report)
    return report


def _standing_together(live: Place, rebuilt: Place) -> list[LaneRow]:
    if not places.exists(live, rebuilt):
        raise RebuildStopped(f"there is no rebuilt database {rebuilt.name}: `run` makes it")
    found = positions(live, rebuilt)
    apart = [f"{each.lane} by {each.steps}" for each in found if each.steps]
    if apart:
        raise TryAgain(
            f"the live lanes are ahead of the rebuilt ones (steps: {', '.join(apart)}): `run` goes on from there"
        )
    return [each.live for each in found]


def _hold_against_raw_log(row: LaneRow, live: Place, rebuilt: Place, raw_log: RawLog, report: Report) -> None:
    """Report records that no step applied; and where a lane has fewer events than it had, which records are missing."""
    found = list(islice(holes.unapplied(raw_log, live.summaries, row), report.first))
    other = rebuilt.summaries.read_lane(row.lane)
    if other is not None and _events_in(row) != _events_in(other):
        found += islice(holes.missing(raw_log, live.summaries, row), HOLES_SHOWN)
    for hole in found:
        where = f"offsets {hole.first} to {hole.last}"
        report.add(Difference("raw log", place_of(row.lane, hole.step), where, hole.what, ""))


def _events_in(row: LaneRow) -> dict[str, int]:
    return {name: count for name, count in row.counts.items() if name.endswith(".in")}
