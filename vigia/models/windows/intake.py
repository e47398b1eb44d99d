"""Takes samples into the windows of their series, for one batch of one lane; `closing` says when those close.

The samples of one message are judged by the closed boundary of their series before the message, so a packed message
may hold its points in any order. A sample of a closed window corrects its row, or makes the row when no sample came in
time. A new series has no boundary, and its first message is in time however old it is, unless series of its service
were forgotten: then it begins with theirs, since it may be one of them. A sample whose window ended longer
than the retention before the watermark of its service (the largest event time seen, less the lateness) is refused,
since rows that old may be gone; when others of its message are young enough, it is only counted. Kind and unit of a
series are those of its first sample.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter

from vigia.events.effects import Changes
from vigia.events.figures import LATE_SAMPLES, TOO_OLD_POINTS
from vigia.events.invalid import EXPLANATIONS, InvalidEvent, Reason
from vigia.events.samples import PlainSample, series_of
from vigia.events.summaries import SeriesSummary
from vigia.events.times import rfc3339
from vigia.models.windows.closing import Closer
from vigia.models.windows.config import WindowConfig
from vigia.models.windows.rolling import Roller
from vigia.models.windows.rows import merged_rows, series_row, window_row
from vigia.models.windows.state import SeriesState, ServiceState, Spot, Window

NAMES_PER_SERIES = 4
"""Most names (labels in different orders) that a service remembers for each series it may have."""

_TIME = itemgetter(0)


class Intake:
    """Applies samples of one batch; `settle` must be called at its end."""

    __slots__ = ("_changes", "_closer", "_config", "_late", "_roller")

    def __init__(self, config: WindowConfig, closer: Closer, roller: Roller, changes: Changes) -> None:
        self._config = config
        self._closer = closer
        self._roller = roller
        self._changes = changes
        self._late: dict[tuple[str, int], Window] = defaultdict(Window)

    def take(self, index: int, event: PlainSample, time: float, state: ServiceState, spot: Spot | None) -> None:
        """Apply one message in full; the hot loop of the model takes only the plainest cases itself.

        `spot` is the series of the event if its name is known as it stands there.
        """
        spot = spot or self._known(event, state)
        try:
            held = self._new_series(event, state) if spot is None else spot.held
            points = self._young_enough(event, state)
        except InvalidEvent as error:
            self._changes.reject(index, error.reason, error.detail)
            return
        new = spot is None
        if spot is None:
            spot = state.add(held)
            held.unrolled = state.rolling.forgotten.pop(held.series.series_id, held.unrolled)
            self._seen(series_row(held.series, points[0][0]), state)
        latest = points[-1][0]
        state.arrival = max(state.arrival, time)
        state.latest = max(state.latest, latest)
        if len(points) == 1:
            # the usual message, when a series comes to its next window
            begins = self._put(self._config.start_of(latest), [points[0][1]], [latest], held, state, time)
        else:
            begins = self._add(points, held, state, time)
        passed = self._closer.close_passed(spot, state, latest, clock=time)
        if begins:
            self._closer.began(spot, state)
        elif new:
            self._closer.only_late(spot, state)
        elif passed or not spot.high:
            # without `high` its state has just been loaded
            self._closer.aim(spot)
        if state.latest >= state.check_at:
            self._closer.close_silent(state, clock=time)

    def settle(self, states: Iterable[ServiceState]) -> None:
        """Write what came late; `states` are those that the batch has touched."""
        for (series_id, start), window in self._late.items():
            late = len(window.values)
            self._changes.correct(window_row(series_id, start, window.totals(), late), merged_rows)
            self._changes.count(LATE_SAMPLES, late)
        self._late.clear()
        for state in states:
            state.fold()

    def _young_enough(self, event: PlainSample, state: ServiceState) -> Sequence[tuple[float, float]]:
        """Return the points within retention by time; raises InvalidEvent if there are none, else counts the others."""
        if event.points is not None:
            points = sorted(event.points, key=_TIME)
        else:
            # not `value or 0.0`: that would turn -0.0 into 0.0, and the hot loop would not
            points = [(event.occurred_at, 0.0 if event.value is None else event.value)]
        if points[0][0] >= state.latest - self._config.retention:
            return points
        oldest = self._config.boundary_at(state.latest) - self._config.retention
        young = [point for point in points if self._config.start_of(point[0]) + self._config.window > oldest]
        if not young:
            raise InvalidEvent(
                Reason.TOO_OLD,
                f"{EXPLANATIONS[Reason.TOO_OLD]}: {rfc3339(event.occurred_at)} is more than "
                f"{self._config.retention:g} s before {rfc3339(state.latest)}, the latest of {event.service}",
            )
        if len(young) < len(points):
            self._changes.count(TOO_OLD_POINTS, len(points) - len(young))
        return young

    def _known(self, event: PlainSample, state: ServiceState) -> Spot | None:
        """Return the series of an event by its sorted labels, and remember the order in which they came."""
        labels = event.labels or {}
        spot = state.names.get((event.environment, event.metric, *sorted(labels.items())))
        if spot is not None and labels:
            # labels in ever other orders must not fill the memory
            at_most = NAMES_PER_SERIES * self._config.series_cap
            state.name((event.environment, event.metric, *labels.items()), spot, at_most)
        return spot

    def _seen(self, row: SeriesSummary, state: ServiceState) -> None:
        """Write the row of a new series; the row that a forgotten one may have tells when it was seen first."""
        if state.forgotten:
            self._changes.correct(row, merged_rows)
        else:
            self._changes.write(row)

    def _new_series(self, event: PlainSample, state: ServiceState) -> SeriesState:
        series = series_of(event)
        if len(state.series) >= self._config.series_cap:
            # when all have fallen silent, nothing but the new one moves the time on
            self._closer.forget(state, event.occurred_at)
        if len(state.series) >= self._config.series_cap:
            raise InvalidEvent(
                Reason.SERIES_CAP,
                f"{event.service} has {len(state.series)} series already; {event.metric} would be another",
            )
        return SeriesState(series, closed=state.forgotten)

    def _add(self, points: Sequence[tuple[float, float]], held: SeriesState, state: ServiceState, time: float) -> bool:
        """Put points, ordered by time, where they belong; return whether a window begins with them."""
        stamps, values = zip(*points, strict=True)
        begins, first = False, 0
        while first < len(stamps):
            start = self._config.start_of(stamps[first])
            after = bisect_left(stamps, start + self._config.window, first)
            begins |= self._put(start, values[first:after], stamps[first:after], held, state, time)
            first = after
        return begins

    def _put(
        self,
        start: int,
        values: Sequence[float],
        stamps: Sequence[float],
        held: SeriesState,
        state: ServiceState,
        time: float,
    ) -> bool:
        """Put values of the window from `start`, and their times, into it; return whether it begins with them."""
        window = held.windows.get(start)
        late, begins = window is None and start < held.closed, False
        if late:
            window = self._late[held.series.series_id, start]
            self._roller.touch(state, held, start, time)
        elif window is None:
            window = held.windows[start] = Window()
            begins = True
        window.values.extend(values)
        if held.series.kind == "counter":
            window.times.extend(stamps)
        if not late:
            window.fold()
        return begins
