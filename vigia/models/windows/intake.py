"""Takes samples into windows and closes windows: the rules of event time, for one batch of one lane.

A window closes when the watermark of its service (the largest event time seen, less the lateness) passes its end; all
series of the service close together. The samples of one message are judged by the watermark before the message, so a
packed message may hold its points in any order. A sample of a closed window corrects its row, or makes the row when no
sample came in time. A sample whose window ended longer than the retention before the watermark is refused, since rows
that old may be gone; when others of its message are young enough, it is only counted. Kind and unit of a series are
those of its first sample.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from vigia.events.effects import Changes
from vigia.events.figures import LATE_SAMPLES, TOO_OLD_POINTS, WINDOWS_CLOSED
from vigia.events.invalid import EXPLANATIONS, InvalidEvent, Reason
from vigia.events.samples import Sample, Series, series_of
from vigia.events.times import rfc3339
from vigia.models.detectors.base import ClosedWindow
from vigia.models.detectors.finder import Finder
from vigia.models.windows.bulk import totals_of_many
from vigia.models.windows.rows import merged_rows, series_row, window_row
from vigia.models.windows.state import SeriesState, ServiceState, Window
from vigia.models.windows.totals import totals_of

TABLE_PER_SERIES = 4
"""Most shortcuts of the hot loop that a service has for each series it may have."""

IDLE = "idle"
"""Kind of the timers that close the windows of services that fell silent; their key is the service."""


@dataclass(frozen=True)
class WindowConfig:
    """The rules' numbers, all in seconds but `series_cap`."""

    window: int = 60
    """Length of a tumbling window."""
    lateness: float = 5.0
    """How long after its end a window waits for samples, in event time."""
    idle_timeout: float = 60.0
    """A service without samples for so long, in Kafka time, has its windows closed by Kafka time."""
    retention: float = 30 * 86_400.0
    """For how long late samples still correct a window, in the service's event time."""
    series_cap: int = 1_000
    """Most series of one service."""
    stale_after: float = 900.0
    """A window that closes so long after its end, in Kafka time, gives stale problems."""

    @property
    def closes_after(self) -> float:
        """Seconds from a window's start until it closes."""
        return self.window + self.lateness


class Intake:
    """Applies samples and closes windows of one batch; `settle` must be called at its end."""

    __slots__ = ("_changes", "_closes_after", "_config", "_finder", "_late", "_pending")

    def __init__(self, config: WindowConfig, finder: Finder, changes: Changes) -> None:
        self._config = config
        self._closes_after = config.closes_after
        self._finder = finder
        self._changes = changes
        self._pending: list[tuple[str, int, Window]] = []
        self._late: dict[tuple[str, int], list[float]] = defaultdict(list)

    def take(self, index: int, event: Sample, time: float, state: ServiceState) -> None:
        """Apply one message in full; the hot loop of the model takes only the plainest cases itself."""
        name = (event.environment, event.metric, tuple(sorted(event.labels.items())) if event.labels else ())
        held = state.names.get(name)
        try:
            series = held.series if held is not None else self._new_series(event, state)
            points = self._young_enough(event, state)
        except InvalidEvent as error:
            self._changes.reject(index, error.reason, error.detail)
            return
        if held is None:
            held = state.add(name, series)
            self._changes.write(series_row(series, min(ts for ts, _ in points)))
        state.arrival = max(state.arrival, time)
        self._add(event, held, points, state)
        latest = max(ts for ts, _ in points)
        state.latest = max(state.latest, latest)
        if state.latest >= state.close_at:
            self.close_passed(state, time)

    def close_passed(self, state: ServiceState, clock: float) -> None:
        """Close every window that the watermark has passed; `clock` is the Kafka time of the sample that moved it."""
        boundary = self._boundary(state)
        state.closed = boundary
        self._close(state, sorted(start for start in state.windows if start < boundary), clock)

    def fire(self, service: str, state: ServiceState, clock: float) -> None:
        """The idle timer of a service has fired: close its windows when it has been silent, or wait on.

        Windows close by the lane's clock only after a whole idle timeout without any sample: in a replay the clock is
        years ahead of the event time all along. The closed boundary moves to the end of the last window that closed, no
        further, so a replay that only paused goes on as before.
        """
        state.timer = None
        if state.windows and clock >= self._due(state):
            starts = sorted(start for start in state.windows if start + self._closes_after <= clock)
            state.closed = max(state.closed, starts[-1] + self._config.window)
            self._close(state, starts, clock)
        if state.windows:
            self._set_timer(service, state)

    def settle(self, states: Iterable[ServiceState]) -> None:
        """Write what was closed and what came late; `states` are those that the batch has touched."""
        if self._pending:
            # all at once: numpy pays only for many values
            totals = totals_of_many([window.values for _, _, window in self._pending])
            for (series_id, start, window), of_values in zip(self._pending, totals, strict=True):
                self._changes.write(window_row(series_id, start, window.totals(of_values), late=0))
            self._changes.count(WINDOWS_CLOSED, len(self._pending))
        for (series_id, start), values in self._late.items():
            self._changes.correct(window_row(series_id, start, totals_of(values), late=len(values)), merged_rows)
            self._changes.count(LATE_SAMPLES, len(values))
        self._pending.clear()
        self._late.clear()
        for state in states:
            state.fold()

    def _new_series(self, event: Sample, state: ServiceState) -> Series:
        series = series_of(event)
        if len(state.series) >= self._config.series_cap:
            raise InvalidEvent(
                Reason.SERIES_CAP,
                f"{event.service} has {len(state.series)} series already; {event.metric} would be another",
            )
        return series

    def _young_enough(self, event: Sample, state: ServiceState) -> Sequence[tuple[float, float]]:
        """Return the points within retention; raises InvalidEvent when there is none, else counts the others."""
        # not `value or 0.0`: that would turn -0.0 into 0.0, and the hot loop would not
        points = event.points or ((event.occurred_at, 0.0 if event.value is None else event.value),)
        oldest = self._boundary(state) - self._config.retention
        if min(ts for ts, _ in points) >= oldest:
            return points
        young = [(ts, value) for ts, value in points if self._start(ts) + self._config.window > oldest]
        if not young:
            raise InvalidEvent(
                Reason.TOO_OLD,
                f"{EXPLANATIONS[Reason.TOO_OLD]}: {rfc3339(event.occurred_at)} is more than "
                f"{self._config.retention:g} s before {rfc3339(state.latest)}, the latest of {event.service}",
            )
        if len(young) < len(points):
            self._changes.count(TOO_OLD_POINTS, len(points) - len(young))
        return young

    def _add(
        self, event: Sample, held: SeriesState, points: Sequence[tuple[float, float]], state: ServiceState
    ) -> None:
        width, boundary = self._config.window, self._boundary(state)
        start, values = self._start(points[0][0]), None
        for ts, value in points:
            # points come mostly in order: look a window up only when it changes
            if values is None or not start <= ts < start + width:
                start = self._start(ts)
                if start < boundary:
                    values = self._late[held.series.series_id, start]
                else:
                    values = self._window(event, held, start, state).values
            values.append(value)

    def _window(self, event: Sample, held: SeriesState, start: int, state: ServiceState) -> Window:
        """Return the open window of a series that begins at `start`, opened now if need be."""
        windows = state.windows.get(start)
        if windows is None:
            windows = state.windows[start] = {}
            state.close_at = min(state.close_at, start + self._closes_after)
            if state.timer is None:
                self._set_timer(event.service, state)
        window = windows.get(held.number)
        if window is None:
            window = windows[held.number] = Window()
        if len(state.table) > TABLE_PER_SERIES * self._config.series_cap:
            # labels in ever other orders must not fill the memory
            state.table.clear()
        pairs = event.labels.items() if event.labels else ()
        state.table[event.environment, event.metric, start // self._config.window, *pairs] = window.values.append
        return window

    def _close(self, service_state: ServiceState, starts: list[int], clock: float) -> None:
        for start in starts:
            for number, window in service_state.windows.pop(start).items():
                held = service_state.series[number]
                self._pending.append((held.series.series_id, start, window))
                if self._finder.watches(held.series.metric, held.series.kind):
                    self._finder.look(held.series, held.detectors, self._closed(start, window, clock), self._changes)
        service_state.table.clear()
        service_state.close_at = min(service_state.windows, default=inf) + self._closes_after

    def _closed(self, start: int, window: Window, clock: float) -> ClosedWindow:
        totals, end = window.totals(), start + self._config.window
        stale = clock - end > self._config.stale_after
        return ClosedWindow(
            start=start, end=end, count=totals.count, sum=totals.sum, min=totals.min, max=totals.max, stale=stale
        )

    def _set_timer(self, service: str, state: ServiceState) -> None:
        state.timer = self._due(state)
        self._changes.set_timer(IDLE, service, state.timer)

    def _due(self, state: ServiceState) -> float:
        return max(state.close_at, state.arrival + self._config.idle_timeout)

    def _start(self, ts: float) -> int:
        return int(ts // self._config.window) * self._config.window

    def _boundary(self, state: ServiceState) -> int:
        """Return the largest multiple of the window's length that the watermark has reached, or the closed boundary.

        Decided by `boundary + lateness <= latest`, the comparison by which windows close: subtracting instead could
        round to another answer.
        """
        width, lateness = self._config.window, self._config.lateness
        boundary = self._start(state.latest - lateness) + width
        while boundary + lateness > state.latest:
            boundary -= width
        return max(state.closed, boundary)
