"""The stored form of a service in the release before (schema 2), written while workers of that release run.

That release knows one detector, `high_error_rate`, and reads the arrays by position, ignoring what follows the
fields it knows. So what it does not know follows them: this release reads all of it back, and nothing depends on the
form. What the release before has rewritten comes back without it; then the other detectors begin anew, and count their
problems on from a number that they cannot have reached, so that no two problems share an id.
"""

import msgspec

from vigia.events.samples import Series
from vigia.models.detectors.finder import Level
from vigia.models.detectors.high_error_rate import NAME, HighErrorRateState
from vigia.models.detectors.quota import Quota
from vigia.models.detectors.states import DetectorState
from vigia.models.windows.config import DAY, HOUR
from vigia.models.windows.state import SeriesState, ServiceState, Window
from vigia.models.windows.totals import merged, totals_of
from vigia.models.windows.unrolled import Rolling, Unrolled

_UNROLLED_HOURS = 48
"""How many of the latest hours of a series are taken for not rolled up yet when nothing says it."""


class _Series(msgspec.Struct, array_like=True):
    series: Series
    detectors: dict[str, HighErrorRateState]
    closed: int
    behind: int
    windows: dict[int, Window]
    others: dict[str, DetectorState] | None = None
    level: Level | None = None
    unrolled: Unrolled | None = None


class _Stored(msgspec.Struct, array_like=True):
    latest: float
    arrival: float
    timer: float | None
    series: list[_Series]
    forgotten: int = 0
    forgotten_problems: int = 0
    quota: Quota | None = None
    rolling: Rolling | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[_Stored] = msgspec.msgpack.Decoder(_Stored)


def dump_previous(state: ServiceState) -> bytes:
    """Return what the release before reads as a state of its own."""
    return _ENCODER.encode(
        _Stored(
            state.latest,
            state.arrival,
            state.timer,
            [_previous(spot.held) for spot in state.series],
            state.forgotten,
            state.forgotten_problems,
            state.quota,
            state.rolling,
        )
    )


def load_previous(body: bytes) -> ServiceState:
    """Return the state from that form, whichever release wrote it; raises msgspec.ValidationError when it is none."""
    stored = _DECODER.decode(body)
    state = ServiceState()
    state.latest, state.arrival, state.timer = stored.latest, stored.arrival, stored.timer
    state.forgotten, state.forgotten_problems = stored.forgotten, stored.forgotten_problems
    if stored.quota is None:
        # written by the release before: at most one problem a second of event time has been opened by what it dropped
        state.forgotten_problems = max(state.forgotten_problems, int(stored.latest))
        state.quota = Quota(reached=int(stored.latest))
    else:
        state.quota = stored.quota
    for each in stored.series:
        detectors: dict[str, DetectorState] = {**each.detectors, **(each.others or {})}
        unrolled = _may_be_unrolled(each.closed) if each.unrolled is None else each.unrolled
        if each.series.kind == "counter":
            _without_times(each.windows)
        state.add(SeriesState(each.series, detectors, each.closed, each.behind, each.windows, each.level, unrolled))
    state.rolling = stored.rolling or Rolling()
    state.check_at = 0.0
    return state


def _previous(held: SeriesState) -> _Series:
    ours = {name: each for name, each in held.detectors.items() if isinstance(each, HighErrorRateState)}
    others = {name: each for name, each in held.detectors.items() if name != NAME}
    return _Series(held.series, ours, held.closed, held.behind, held.windows, others, held.level, held.unrolled)


def _may_be_unrolled(closed: int) -> Unrolled:
    """Return the latest hours and days: to make again what was made changes nothing."""
    end = -(-closed // HOUR)
    first = max(0, end - _UNROLLED_HOURS)
    return Unrolled([(first, end)], [(first * HOUR // DAY, -(-closed // DAY))]) if closed else Unrolled()


def _without_times(windows: dict[int, Window]) -> None:
    """Values without times say nothing of how a counter climbed: such a window keeps a sketch instead."""
    for window in windows.values():
        if len(window.times) != len(window.values):
            totals = totals_of(window.values)
            window.folded = totals if window.folded is None else merged(window.folded, totals)
            window.values.clear()
            window.times.clear()
