"""Rolls windows up to hours, and hours to days: by a timer of each service, from the rows themselves.

Whenever a window is written or corrected, its hour is noted as unrolled (`unrolled`). The timer takes the hours that
are over and has the step make each of the rows that its windows have then, all of them, whatever was there before. So
an hour may be made any number of times, and a late sample's correction only makes it again. An hour that was made
leaves its day unrolled. So an hour costs one row, however many windows it has, and the state of a series few bytes.

Nothing depends on when exactly it happens: soon after an hour is over, so that all series of a service have come to its
end, and spread over a few minutes, so that not all services come at once. Who reads before merges the windows himself.

It also says from when on rows are kept. Whatever it may still read is: see `docs/adr/0017-rolling-up-and-retention.md`.
"""

from collections.abc import Iterator, Sequence
from math import inf
from zlib import crc32

from vigia.events.effects import Changes, RowRange
from vigia.events.figures import HOURS_ROLLED
from vigia.events.summaries import DaySummary, HourSummary, KeptSummary, Summary, WindowSummary
from vigia.models.windows import unrolled
from vigia.models.windows.config import DAY, HOUR, WindowConfig
from vigia.models.windows.rows import rolled_rows
from vigia.models.windows.state import SeriesState, ServiceState
from vigia.models.windows.unrolled import Unrolled

ROLL = "roll"
"""Kind of the timers that roll up; their key is the service."""

SOON = 60.0
"""Seconds of Kafka time from when an hour is known to be over to when it is rolled up, before they are spread."""

LATER = 3_600.0
"""The same when none is over yet: it may be that no more samples come."""

SPREAD = 240
"""Over so many seconds the services are spread."""

SILENT = 3_600.0
"""When no sample of a service has come for so long, in Kafka time, all its hours and days are taken to be over."""

ROWS_A_STEP = 30_000
"""About so many rows does a step read back at most; what is left is done in the next ones."""


class Roller:
    """Rolls up in one batch of one lane."""

    __slots__ = ("_changes", "_config")

    def __init__(self, config: WindowConfig, changes: Changes) -> None:
        self._config = config
        self._changes = changes

    def touch(self, state: ServiceState, held: SeriesState, start: int, clock: float) -> None:
        """The row of the window from `start` is written or corrected; `clock` is the Kafka time of what caused it."""
        hours = held.unrolled.hours
        unrolled.add(hours, start // HOUR)
        over = (hours[0][0] + 1) * HOUR <= held.closed
        rolling, service = state.rolling, held.series.service
        wait = SOON if over else LATER
        if rolling.due is None or clock + wait + SPREAD < rolling.due:
            rolling.due = clock + wait + crc32(service.encode()) % SPREAD
            self._changes.set_timer(ROLL, service, rolling.due)

    def fire(self, service: str, state: ServiceState, clock: float) -> None:
        """The timer has fired: roll up what is over, as much as one step may, and wait on for what is not."""
        rolling = state.rolling
        rolling.due = None
        silent = clock - state.arrival >= SILENT
        for spot in state.series:
            held = spot.held
            until = inf if silent else held.closed if held.windows else max(held.closed, state.latest)
            self._roll(held.series.series_id, held.unrolled, until)
        for series_id, left in list(rolling.forgotten.items()):
            self._roll(series_id, left, inf)
            if not left.hours and not left.days:
                del rolling.forgotten[series_id]
        self._keep(service, state)
        if any(left.hours or left.days for left in _all(state)):
            exhausted = self._changes.rows_read_back >= ROWS_A_STEP
            rolling.due = clock if exhausted else clock + LATER + crc32(service.encode()) % SPREAD
            self._changes.set_timer(ROLL, service, rolling.due)

    def _roll(self, series_id: str, left: Unrolled, until: float) -> None:
        windows_an_hour = max(1, HOUR // self._config.window)
        for first, end in unrolled.take(left.hours, _ended(until, HOUR), self._most(windows_an_hour)):
            source = RowRange(WindowSummary, (series_id,), first * HOUR, end * HOUR)
            self._changes.roll_up(source, _hours, (end - first) * windows_an_hour)
            self._changes.count(HOURS_ROLLED, end - first)
            for day in range(first * HOUR // DAY, (end * HOUR - 1) // DAY + 1):
                unrolled.add(left.days, day)
        # a day whose hours are not all done waits for them
        before = min(until, left.hours[0][0] * HOUR) if left.hours else until
        for first, end in unrolled.take(left.days, _ended(before, DAY), self._most(DAY // HOUR)):
            source = RowRange(HourSummary, (series_id,), first * DAY, end * DAY)
            self._changes.roll_up(source, _days, (end - first) * (DAY // HOUR))

    def _most(self, rows_each: int) -> int:
        """Return how many more hours or days of so many rows each this step may make; the first one always."""
        left = ROWS_A_STEP - self._changes.rows_read_back
        return -(-left // rows_each)

    def _keep(self, service: str, state: ServiceState) -> None:
        """Move on the times from when on rows are kept: never past what may still be read or written."""
        config, before = self._config, state.rolling.kept
        oldest = config.boundary_at(state.latest) - config.retention
        starts = [left.hours[0][0] * HOUR for left in _all(state) if left.hours]
        starts += [min(spot.held.windows) for spot in state.open.values()]
        windows = _whole_days(min([oldest, *starts]))
        starts = [left.days[0][0] * DAY for left in _all(state) if left.days]
        hours = _whole_days(min([state.latest - config.retention_hours, float(windows), *starts]))
        days = _whole_days(min(state.latest - config.retention_days, float(hours)))
        kept = (max(windows, before[0]), max(hours, before[1]), max(days, before[2]))
        if kept != before:
            state.rolling.kept = kept
            self._changes.write(
                KeptSummary(service=service, windows_from=kept[0], hours_from=kept[1], days_from=kept[2])
            )


def _all(state: ServiceState) -> Iterator[Unrolled]:
    yield from (spot.held.unrolled for spot in state.series)
    yield from state.rolling.forgotten.values()


def _ended(until: float, length: int) -> float:
    """Return the number of the first span that is not over."""
    return until if until == inf else until // length


def _whole_days(time: float) -> int:
    return max(0, int(time // DAY) * DAY)


def _hours(rows: Sequence[Summary]) -> list[Summary]:
    return rolled_rows(HourSummary, HOUR, rows)


def _days(rows: Sequence[Summary]) -> list[Summary]:
    return rolled_rows(DaySummary, DAY, rows)
