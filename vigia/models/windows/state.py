"""What is remembered of a service: its watermark, its series, and its open windows. It is one row in the store."""

from collections.abc import Callable
from math import inf

import msgspec

from vigia.events.samples import Series
from vigia.models.detectors.finder import DetectorState
from vigia.models.windows.totals import Totals, merged, totals_of

FOLD = 256
"""A window keeps its raw values up to so many; then they are folded into its totals. It bounds a state's size."""

SeriesName = tuple[str, str, tuple[tuple[str, str], ...]]
"""Environment, metric and sorted labels: what identifies a series within a service."""


class Window(msgspec.Struct, array_like=True):
    """An open window: the values since the last fold in order of arrival, and the totals of all before them."""

    values: list[float] = msgspec.field(default_factory=list)
    folded: Totals | None = None

    def fold(self) -> None:
        """Fold whole multiples of FOLD and leave 1 to FOLD values: the same state however the values were batched."""
        whole = (len(self.values) - 1) // FOLD * FOLD
        if whole > 0:
            self.folded = self._with_folded(totals_of(self.values[:whole]))
            # in place: the hot loop holds on to `values.append`
            del self.values[:whole]

    def totals(self, of_values: Totals | None = None) -> Totals:
        """Return the totals of all values; those of `values` alone may be given when they are known already."""
        return self._with_folded(totals_of(self.values) if of_values is None else of_values)

    def _with_folded(self, totals: Totals) -> Totals:
        return totals if self.folded is None else merged(self.folded, totals)


class SeriesState(msgspec.Struct, array_like=True):
    """One series of the service, by its number in order of appearance."""

    number: int
    series: Series
    detectors: dict[str, DetectorState] = msgspec.field(default_factory=dict)


class ServiceState:
    """The state of one service. Times are epoch seconds; those of events, but for `arrival` and `timer`: Kafka's.

    `table` and `close_at` are shortcuts of the hot loop that live only in memory.
    """

    __slots__ = ("arrival", "close_at", "closed", "latest", "names", "series", "table", "timer", "windows")

    def __init__(self) -> None:
        self.latest = 0.0
        """Largest event time seen; the watermark is this less the lateness."""
        self.arrival = 0.0
        """Largest Kafka time of a sample."""
        self.closed = 0
        """All windows that end by then are closed, those that never existed too."""
        self.timer: float | None = None
        """When the pending idle timer is due."""
        self.series: list[SeriesState] = []
        self.names: dict[SeriesName, SeriesState] = {}
        self.windows: dict[int, dict[int, Window]] = {}
        """Open windows by their start, then by the number of their series."""
        self.table: dict[tuple[object, ...], Callable[[float], None]] = {}
        """`values.append` of an open window by (environment, metric, number of the window, *labels)."""
        self.close_at = inf
        """The event time from which the earliest open window closes."""

    def add(self, name: SeriesName, series: Series) -> SeriesState:
        """Take up a new series."""
        state = SeriesState(len(self.series), series)
        self.series.append(state)
        self.names[name] = state
        return state

    def fold(self) -> None:
        """Keep the raw values of the open windows few."""
        for windows in self.windows.values():
            for window in windows.values():
                if len(window.values) > FOLD:
                    window.fold()


_Stored = tuple[float, float, int, float | None, list[SeriesState], dict[int, dict[int, Window]]]

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[_Stored] = msgspec.msgpack.Decoder(_Stored)


def dump_service(state: ServiceState) -> bytes:
    """Return the stored form: msgpack of plain arrays and numbers, the shortcuts left out."""
    return _ENCODER.encode((state.latest, state.arrival, state.closed, state.timer, state.series, state.windows))


def load_service(body: bytes, closes_after: float) -> ServiceState:
    """Return the state from its stored form; `closes_after` is the seconds from a window's start until it closes.

    Raises msgspec.ValidationError when the bytes are not a stored state.
    """
    state = ServiceState()
    state.latest, state.arrival, state.closed, state.timer, state.series, state.windows = _DECODER.decode(body)
    for each in state.series:
        state.names[each.series.environment, each.series.metric, each.series.labels] = each
    if state.windows:
        state.close_at = min(state.windows) + closes_after
    return state
