"""What is remembered of a service: its series, how far each has come, and their open windows. One row in the store."""

from collections.abc import Collection
from math import inf

import msgspec

from vigia.events.samples import Series
from vigia.models.detectors.finder import Level, Looked
from vigia.models.detectors.quota import Quota
from vigia.models.detectors.said import SaidMutes
from vigia.models.detectors.states import DetectorState
from vigia.models.windows.totals import Totals, counter_totals, merged, totals_of
from vigia.models.windows.unrolled import Rolling, Unrolled

FOLD = 256
"""A window keeps its raw values up to so many; then they are folded into its totals. It bounds a state's size."""

Name = tuple[object, ...]
"""Environment, metric, and the labels as pairs: what names a series within its service."""


class Window(msgspec.Struct, array_like=True):
    """An open window: the values since the last fold, message after message, and the totals of all before them.

    Of a counter it has the time of each value, too.
    """

    values: list[float] = msgspec.field(default_factory=list)
    folded: Totals | None = None
    times: list[float] = msgspec.field(default_factory=list)

    def fold(self) -> None:
        """Fold whole multiples of FOLD and leave 1 to FOLD values: the same state however the values were batched."""
        if len(self.values) > FOLD:
            whole = (len(self.values) - 1) // FOLD * FOLD
            self.folded = self._with_folded(_totals(self.values[:whole], self.times[:whole]))
            # in place: the hot loop holds on to both
            del self.values[:whole]
            del self.times[:whole]

    def totals(self, of_values: Totals | None = None) -> Totals:
        """Return the totals of all values; those of `values` alone may be given when they are known already."""
        return self._with_folded(_totals(self.values, self.times) if of_values is None else of_values)

    def _with_folded(self, totals: Totals) -> Totals:
        return totals if self.folded is None else merged(self.folded, totals)


def _totals(values: list[float], times: list[float]) -> Totals:
    return counter_totals(values, times) if times else totals_of(values)


class SeriesState(msgspec.Struct, array_like=True):
    """What is stored of one series. Times are epoch seconds of events."""

    series: Series
    detectors: dict[str, DetectorState] = msgspec.field(default_factory=dict)
    closed: int = 0
    """All its windows that end by then are closed, those that never existed too."""
    behind: int = 0
    """By how much its newest window was behind the one that its service had come to, when the series last began one."""
    windows: dict[int, Window] = msgspec.field(default_factory=dict)
    """Its open windows by their start."""
    level: Level | None = None
    """Its last closed window, kept only of metrics that the detectors of other series ask for."""
    unrolled: Unrolled = msgspec.field(default_factory=Unrolled)
    """Its hours and days that are still to be made of windows."""


class Spot:
    """A series in memory: its state, and where the hot loop may put a sample without a further look.

    From `low` to before `high`, in event time, a sample belongs to `values`, those of the newest open window (of a
    counter with its time to `times`, which others do not have), and closes nothing of its series.
    """

    __slots__ = ("held", "high", "looked", "low", "number", "times", "values")

    def __init__(self, number: int, held: SeriesState) -> None:
        self.number = number
        self.held = held
        self.low = 0.0
        self.high = 0.0
        self.values: list[float] = []
        self.times: list[float] | None = None
        self.looked: Looked | None = None
        """It as its detectors see it; None until its first window closes."""

    def aim(self, newest: int, high: float) -> None:
        """Point at the newest open window, and let the hot loop go on to before `high`."""
        self.fold()
        window = self.held.windows[newest]
        self.low, self.high = float(newest), high
        self.values = window.values
        self.times = window.times if self.held.series.kind == "counter" else None

    def rest(self) -> None:
        """Point at nothing: there is no open window."""
        self.low = self.high = 0.0
        self.values, self.times = [], None

    def fold(self) -> None:
        """Keep the raw values few of the window that the hot loop puts samples into; it does not count them."""
        if len(self.values) > FOLD and (window := self.held.windows.get(int(self.low))) is not None:
            window.fold()


class ServiceState:
    """The state of one service. Times are epoch seconds; those of events, but for `arrival` and `timer`: Kafka's.

    What is stored are `latest`, `arrival`, `timer`, the states of the series, what is left of forgotten ones,
    `quota`, `rolling` and `mutes`; the rest is made of them.
    """

    __slots__ = (
        "arrival",
        "check_at",
        "forgotten",
        "forgotten_problems",
        "latest",
        "mutes",
        "names",
        "open",
        "quota",
        "rolling",
        "series",
        "timer",
    )

    def __init__(self) -> None:
        self.latest = 0.0
        """Largest event time seen."""
        self.arrival = 0.0
        """Largest Kafka time of a sample."""
        self.timer: float | None = None
        """When the pending idle timer is due."""
        self.series: list[Spot] = []
        """Every series, by its number in order of appearance."""
        self.names: dict[Name, Spot] = {}
        """Every series by its name with sorted labels, and with those in other orders that were sent."""
        self.open: dict[int, Spot] = {}
        """The series with open windows, by their number."""
        self.check_at = inf
        """No window of a silent series closes, and no series is forgotten, before `latest` reaches this."""
        self.forgotten = 0
        """Every window of a forgotten series ended by then: a new series begins with it as its closed boundary, since
        it may be a forgotten one, whose rows must be corrected and not replaced.
        """
        self.forgotten_problems = 0
        """Most problems that one detector had opened on a forgotten series: a detector that is new to a series counts
        on from there, so that no two problems share an id.
        """
        self.quota = Quota()
        """How many problems it has opened lately."""
        self.rolling = Rolling()
        self.mutes: SaidMutes = {}
        """What people have muted by event."""

    def level_of(self, series: Series, metric: str) -> Level | None:
        """Return the last closed window of the series that differs from `series` by its metric alone, if it is kept."""
        spot = self.names.get((series.environment, metric, *series.labels))
        return None if spot is None else spot.held.level

    def add(self, held: SeriesState) -> Spot:
        """Take up a series."""
        spot = Spot(len(self.series), held)
        self.series.append(spot)
        self.names[_sorted_name(held.series)] = spot
        if held.windows:
            self.open[spot.number] = spot
        return spot

    def forget(self, gone: Collection[Spot]) -> None:
        """Drop series without open windows; those that stay keep their order."""
        numbers = {spot.number for spot in gone}
        self.forgotten = max(self.forgotten, *(spot.held.closed for spot in gone))
        opened = (each.opened for spot in gone for each in spot.held.detectors.values())
        self.forgotten_problems = max(self.forgotten_problems, *opened, 0)
        self.rolling.forgotten.update(
            (held.series.series_id, held.unrolled)
            for held in (spot.held for spot in gone)
            if held.unrolled.hours or held.unrolled.days
        )
        self.names = {name: spot for name, spot in self.names.items() if spot.number not in numbers}
        self.series = [spot for spot in self.series if spot.number not in numbers]
        for number, spot in enumerate(self.series):
            spot.number = number
        self.open = {spot.number: spot for spot in self.series if spot.held.windows}

    def name(self, name: Name, spot: Spot, at_most: int) -> None:
        """Remember one more name of a series; when there are `at_most` already, only those with sorted labels stay."""
        if len(self.names) >= at_most:
            self.names = {_sorted_name(each.held.series): each for each in self.series}
        self.names[name] = spot

    def fold(self) -> None:
        """Keep the raw values of the open windows few."""
        for spot in self.open.values():
            if len(spot.values) > FOLD:
                spot.fold()


class _Stored(msgspec.Struct, array_like=True):
    latest: float
    arrival: float
    timer: float | None
    series: list[SeriesState]
    forgotten: int
    forgotten_problems: int
    quota: Quota
    rolling: Rolling
    mutes: SaidMutes = msgspec.field(default_factory=dict)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[_Stored] = msgspec.msgpack.Decoder(_Stored)


def dump_service(state: ServiceState) -> bytes:
    """Return the stored form: msgpack of plain arrays and numbers."""
    series = [spot.held for spot in state.series]
    stored = _Stored(
        state.latest,
        state.arrival,
        state.timer,
        series,
        state.forgotten,
        state.forgotten_problems,
        state.quota,
        state.rolling,
        dict(sorted(state.mutes.items())),
    )
    return _ENCODER.encode(stored)


def load_service(body: bytes) -> ServiceState:
    """Return the state from its stored form; raises msgspec.ValidationError when the bytes are not one."""
    stored = _DECODER.decode(body)
    state = ServiceState()
    state.latest, state.arrival, state.timer = stored.latest, stored.arrival, stored.timer
    state.forgotten, state.forgotten_problems = stored.forgotten, stored.forgotten_problems
    state.quota, state.rolling, state.mutes = stored.quota, stored.rolling, stored.mutes
    for held in stored.series:
        state.add(held)
    # not known: the first look finds it
    state.check_at = 0.0
    return state


def _sorted_name(series: Series) -> Name:
    return (series.environment, series.metric, *series.labels)
