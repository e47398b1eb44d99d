"""Closes windows: the rules of event time, for one batch of one lane.

A window of a series closes when

- the watermark of the series, the largest event time seen of it less the lateness, reaches the window's end; or
- the series is silent: the event time of its service has passed that by `series_idle` more, and the series has begun no
  window meanwhile; or
- the whole service is silent, by Kafka time.

A series whose windows are closed is forgotten when its service has gone on by `series_forget` more: labels such as the
names of pods would fill `series_cap` for good. Its next sample makes it a new series. One with an open problem stays
for `problem_forget`; then the problem ends, as stale: nobody knows whether it is over. While the whole service is
silent, Kafka's time since its last sample counts as if the service went on.

What the limit on problems has opened ends with its hour, by the same rules: by the event time of the service, and when
that is silent, by Kafka time.

So a sender may pack any span into a message, and the series of one service may come at their own pace: what one series
sends closes nothing of another that is sending too.
"""

from collections.abc import Iterable
from math import inf

from vigia.events.effects import Changes
from vigia.events.figures import WINDOWS_CLOSED
from vigia.models.detectors.base import ClosedWindow
from vigia.models.detectors.finder import Finder, Looked
from vigia.models.windows.bulk import totals_of_many
from vigia.models.windows.config import WindowConfig
from vigia.models.windows.rolling import Roller
from vigia.models.windows.rows import window_row
from vigia.models.windows.state import SeriesState, ServiceState, Spot, Window
from vigia.models.windows.totals import plain_totals

IDLE = "idle"
"""Kind of the timers that close the windows of services that fell silent; their key is the service."""

LIMIT_OVER = "limit-over"
"""Kind of the timers that end the hour in which a silent service had reached its limit of problems; their key is it."""

GONE = "gone"
"""Kind of the timers that end the problems of a service that is silent for long; their key is the service."""


class Closer:
    """Closes windows of one batch; `settle` must be called at its end.

    The `clock` of its methods is the Kafka time of whatever moved event time on: it says whether a window is stale.
    """

    __slots__ = ("_changes", "_config", "_finder", "_pending", "_roller")

    def __init__(self, config: WindowConfig, finder: Finder, roller: Roller, changes: Changes) -> None:
        self._config = config
        self._finder = finder
        self._roller = roller
        self._changes = changes
        self._pending: list[tuple[str, int, Window]] = []

    def close_passed(self, spot: Spot, state: ServiceState, latest: float, clock: float) -> bool:
        """Close the windows of a series that its watermark has passed; it has come to `latest`.

        Returns whether the watermark has passed the end of a window: the hot loop must be aimed anew.
        """
        held = spot.held
        if latest < self._config.closes_at(held.closed):
            return False
        closed = held.closed = self._config.boundary_at(latest)
        for start in sorted([start for start in held.windows if start < closed]):
            self._close(spot, state, start, clock)
        return True

    def began(self, spot: Spot, state: ServiceState) -> None:
        """A series has begun windows, of which the newest is open."""
        held = spot.held
        newest = max(held.windows)
        held.behind = max(0, self._config.start_of(state.latest) - newest)
        state.open[spot.number] = spot
        state.check_at = min(state.check_at, self._silent_at(held, newest))
        if state.timer is None:
            self._set_timer(held.series.service, state)
        self._aim_at(newest, spot)

    def only_late(self, spot: Spot, state: ServiceState) -> None:
        """A new series has begun no window: all its samples were older than what may belong to a forgotten one."""
        held = spot.held
        held.behind = max(0, self._config.start_of(state.latest) - held.closed)
        state.check_at = min(state.check_at, self._forgotten_at(held))

    def forget(self, state: ServiceState, latest: float) -> None:
        """Forget the series that have been silent long enough when their service has come to `latest`."""
        state.check_at = min(state.check_at, self._forget(state, state.series, latest))

    def _forget(self, state: ServiceState, spots: Iterable[Spot], latest: float) -> float:
        """Forget those of these series that it is time for, and return when it will be for the next one."""
        gone, after = list[Spot](), inf
        for spot in spots:
            held = spot.held
            if held.windows:
                continue
            at = self._forgotten_at(held)
            if at > latest:
                after = min(after, at)
                continue
            gone.append(spot)
            self._finder.give_up(held.series, held.detectors, float(held.closed), at, self._changes)
        if gone:
            state.forget(gone)
        return after

    def close_silent(self, state: ServiceState, clock: float) -> None:
        """Close the windows of series that fell silent while their service went on to its latest event time, and
        forget those that did long ago.
        """
        silent: list[Spot] = []
        state.check_at = inf
        for spot in state.open.values():
            at = self._silent_at(spot.held, max(spot.held.windows))
            if at <= state.latest:
                silent.append(spot)
            else:
                state.check_at = min(state.check_at, at)
        self._close_all([(start, spot.number) for spot in silent for start in spot.held.windows], state, clock)
        self.forget(state, state.latest)

    def fire(self, service: str, state: ServiceState, clock: float) -> None:
        """The idle timer of a service has fired: close its windows when it has been silent, or wait on.

        Windows close by the lane's clock only after a whole idle timeout without any sample: in a replay the clock is
        years ahead of the event time all along. The closed boundary of a series moves to the end of its last window
        that closed, no further, so a replay that only paused goes on as before.
        """
        state.timer = None
        self._close_idle(service, state, clock)
        if state.open:
            self._set_timer(service, state)

    def end_limit(self, service: str, state: ServiceState, clock: float) -> None:
        """The timer of a service that reached its limit of problems has fired: end that, if the service fell silent.

        Otherwise its windows say when the hour is over; in a replay the clock is past it from the beginning.
        """
        quota, hour = state.quota, state.quota.hour
        if not quota.since:
            return
        due = self._limit_due(state)
        if clock < due:
            self._changes.set_timer(LIMIT_OVER, service, due)
            return
        # what is open of the hour is still judged within it
        self._close_idle(service, state, clock)
        if quota.hour == hour:
            self._finder.end_limit(service, quota, float(quota.end), self._changes)
            self._changes.clear_timer(LIMIT_OVER, service)

    def aim(self, spot: Spot) -> None:
        """Let the hot loop go on to the end of the newest window, or to where the watermark passes another end."""
        if spot.held.windows:
            self._aim_at(max(spot.held.windows), spot)
        else:
            spot.rest()

    def _aim_at(self, newest: int, spot: Spot) -> None:
        spot.aim(newest, min(float(newest + self._config.window), self._config.closes_at(spot.held.closed)))

    def settle(self) -> None:
        """Write what was closed."""
        if self._pending:
            # all at once: numpy pays only for many values
            totals = iter(totals_of_many([window.values for *_, window in self._pending if not window.times]))
            for series_id, start, window in self._pending:
                of_all = window.totals() if window.times else window.totals(next(totals))
                self._changes.write(window_row(series_id, start, of_all, late=0))
            self._changes.count(WINDOWS_CLOSED, len(self._pending))
            self._pending.clear()

    def give_up(self, service: str, state: ServiceState, clock: float) -> None:
        """The timer of a silent service with open problems has fired: end them, or wait on if it is not that silent."""
        silent = max(0.0, clock - state.arrival)
        self._forget(state, [spot for spot in state.series if _has_problem(spot.held)], state.latest + silent)
        self._wait_for_gone(service, state, clock)

    def _wait_for_gone(self, service: str, state: ServiceState, clock: float) -> None:
        ends = [self._forgotten_at(spot.held) for spot in state.series if _has_problem(spot.held)]
        if ends:
            due = state.arrival + min(ends) - state.latest
            # later than now: its windows may still be open
            self._changes.set_timer(GONE, service, max(due, clock + self._config.idle_timeout))

    def _close_idle(self, service: str, state: ServiceState, clock: float) -> None:
        """Close what is over by the clock, when the service has been silent for long enough; wait for what is not."""
        if not state.open or clock < self._due(state):
            return
        windows = [(start, spot.number) for spot in state.open.values() for start in spot.held.windows]
        self._close_all([each for each in windows if self._config.closes_at(each[0]) <= clock], state, clock)
        self.forget(state, state.latest)
        if state.quota.since:
            self._changes.set_timer(LIMIT_OVER, service, self._limit_due(state))
        self._wait_for_gone(service, state, clock)

    def _close_all(self, windows: Iterable[tuple[int, int]], state: ServiceState, clock: float) -> None:
        """Close windows given by start and number of their series: those of each series from its oldest on."""
        touched = {}
        for start, number in sorted(windows):
            spot = touched[number] = state.series[number]
            self._close(spot, state, start, clock)
            spot.held.closed = max(spot.held.closed, start + self._config.window)
        for number, spot in touched.items():
            if not spot.held.windows:
                del state.open[number]
            self.aim(spot)

    def _close(self, spot: Spot, state: ServiceState, start: int, clock: float) -> None:
        held = spot.held
        window = held.windows.pop(start)
        self._roller.touch(state, held, start, clock)
        self._pending.append((held.series.series_id, start, window))
        looked = spot.looked
        if looked is None:
            looked = spot.looked = Looked(held.series, self._finder.watch(held.series), held.detectors)
        watch, quota = looked.watch, state.quota
        if not watch:
            if quota.since:  # for them alone nobody counts hours
                self._finder.pass_hour(held.series.service, quota, start + self._config.window, self._changes)
            return
        closed = self._closed(start, window, clock, sketch=watch.sketch)
        if watch.kept:
            held.level = (closed.end, closed.mean)
        self._finder.look(looked, closed, state, clock, self._changes)

    def _closed(self, start: int, window: Window, clock: float, *, sketch: bool) -> ClosedWindow:
        totals = window.totals() if sketch or window.folded is not None else plain_totals(window.values)
        end = start + self._config.window
        return ClosedWindow(
            start=start,
            end=end,
            count=totals.count,
            sum=totals.sum,
            min=totals.min,
            max=totals.max,
            stale=clock - end > self._config.stale_after,
            digest=totals.digest,
        )

    def _silent_at(self, held: SeriesState, newest: int) -> float:
        """Return the event time of the service from which a series is silent whose newest open window is `newest`."""
        return self._config.closes_at(newest + held.behind) + self._config.series_idle

    def _forgotten_at(self, held: SeriesState) -> float:
        """Return the event time of the service from which a series without open windows is forgotten."""
        silence = self._config.series_forget
        if _has_problem(held):
            silence = max(silence, self._config.problem_forget)
        return held.closed + held.behind + self._config.window + silence

    def _limit_due(self, state: ServiceState) -> float:
        return max(state.quota.end + self._config.lateness, state.arrival + self._config.idle_timeout)

    def _set_timer(self, service: str, state: ServiceState) -> None:
        state.timer = self._due(state)
        self._changes.set_timer(IDLE, service, state.timer)

    def _due(self, state: ServiceState) -> float:
        earliest = min(min(spot.held.windows) for spot in state.open.values())
        return max(self._config.closes_at(earliest), state.arrival + self._config.idle_timeout)


def _has_problem(held: SeriesState) -> bool:
    return any(each.status == "open" for each in held.detectors.values())
