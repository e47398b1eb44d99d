"""The general anomaly score: online, for any series, without labels and without settings for a series.

Three views of a value, each a multiple of what is usual for this series: how far it is from the values just before
(spike), how far the recent level is from the long one (shift), how far it is from what is usual at this time of the day
(season). Each becomes a surprise by its rank in its own past (`surprise.py`), and the score is their mean. An alarm
that goes on is worth less with every value: the score of a value is lowered by what the ones just before it had. A
value beyond all that the series has been is rarer than its ranks say (`span.py`). One beyond all measure is surprising,
but teaches nothing until it repeats (`doubt.py`).
"""

from math import isfinite

import msgspec

from vigia.models.detectors.anomaly.doubt import REPEATS, WILD, Doubt
from vigia.models.detectors.anomaly.profile import DayProfile
from vigia.models.detectors.anomaly.span import Span
from vigia.models.detectors.anomaly.surprise import Tail, multiple_of

SHORT = 0.3
"""Weight of a value in the level just before the next one."""
RECENT = 30
"""Values in the recent level."""
LONG = 600
"""Values in the long level, and in what is usual."""
LEAST_SCALE = 1e-3
"""Deviations below this share of the usual magnitude are noise of the measurement."""
OUTLIER = 5.0
"""A deviation counts at most so many times the usual one in what is usual."""
FADE = 0.995
"""What is left of an alarm's weight after one more value."""
HABIT = 0.8
"""Share of the last alarm's surprise that the next value's is lowered by."""
LEAST_SHARE = 0.3
"""Share of a value's surprise that stays, however much alarm there was."""
WARM_UP = 20
"""Values before outliers can be told from what is usual."""


class AnomalyState(msgspec.Struct, array_like=True):
    """What is remembered of one series: about 1 kB, however long it is. `at` is the last value's time."""

    count: int = 0
    at: float = 0.0
    interval: float = 0.0
    """Usual seconds between values."""
    short: float = 0.0
    recent: float = 0.0
    long: float = 0.0
    magnitude: float = 0.0
    usual: float = 0.0
    """Usual distance of a value from the short level."""
    alarm: float = 0.0
    spike: Tail = msgspec.field(default_factory=Tail)
    shift: Tail = msgspec.field(default_factory=Tail)
    season: Tail = msgspec.field(default_factory=Tail)
    day: DayProfile = msgspec.field(default_factory=DayProfile)
    doubt: Doubt = msgspec.field(default_factory=Doubt)
    span: Span = msgspec.field(default_factory=Span)
    """These come last: the release before reads a state as far as it knows the fields. The span of what it wrote begins
    at 0, which tells of fewer records, never of more."""


def score(state: AnomalyState, at: float, value: float) -> float:
    """Return the score of `value`, in [0, 1], beside what came before, then learn it: `state` is changed in place.

    `at` is in epoch seconds. 1 - score is the geometric mean of the views' tail probabilities, lowered while an alarm
    goes on. A value that is not a finite number is unknown: it scores 0 and teaches nothing.

    >>> state = AnomalyState()
    >>> usual = [score(state, 60.0 * i, 10.0 + i % 7) for i in range(1_000)]
    >>> score(state, 60_000.0, 100.0) > 0.99 > max(usual[500:])
    True
    """
    surprise = surprise_of(state, at, value)
    if surprise is None:
        return 0.0
    kept = max(LEAST_SHARE * surprise, surprise - HABIT * state.alarm)
    state.alarm = max(FADE * state.alarm, surprise)
    return 1.0 - float(10.0**-kept)


def surprise_of(state: AnomalyState, at: float, value: float) -> float | None:
    """Return -log10 of the geometric mean of the views' tail probabilities, at least 0, and more for a record; then
    learn the value.

    None for the first values, and for one that is not a finite number. It is what `score` is made of, not lowered while
    an alarm goes on.
    """
    if not isfinite(value):
        return None
    count = state.count
    state.count = count + 1
    if count < REPEATS:
        _begin(state, at, value)
        return None
    span = min(LONG, count)
    if at > state.at:
        state.interval += (at - state.at - state.interval) / span
        state.at = at
    scale = state.usual + LEAST_SCALE * state.magnitude
    short = state.short
    deviation = abs(value - short)
    figure = multiple_of(deviation, scale)
    believed = value
    if deviation > WILD * scale:
        wild = state.doubt.believed(value, short, count, LONG)
        if wild is None:
            return _beside(state, at, value, figure, scale) + state.span.record_of(value, count)
        believed, deviation = wild, abs(wild - short)
    spike = state.spike.surprise_of(figure)
    state.short = short + SHORT * (believed - short)
    state.recent += (believed - state.recent) / (min(RECENT, count))
    state.long += (believed - state.long) / span
    state.magnitude += (abs(believed) - state.magnitude) / span
    shift = state.shift.surprise_of(multiple_of(abs(state.recent - state.long), scale))
    most = OUTLIER * scale
    learned = most if count > WARM_UP and deviation > most else deviation
    state.usual += (learned - state.usual) / span
    distance = state.day.distance_of(at, value, believed, state.interval, scale)
    season = 0.0 if distance is None else state.season.surprise_of(distance)
    record = state.span.record_of(value, count)
    state.span.take(believed)
    return (spike + shift + season) / 3 + record


def _begin(state: AnomalyState, at: float, value: float) -> None:
    """Take in one of the first values: what is known begins with their median, since one of them may be wild."""
    values = state.doubt.values
    values.append(value)
    if len(values) > 1 and at > state.at:
        state.interval += (at - state.at - state.interval) / (len(values) - 1)
    state.at = at
    if len(values) == REPEATS:
        low, middle, high = sorted(values)
        state.short = state.recent = state.long = middle
        state.magnitude, state.usual = abs(middle), min(middle - low, high - middle)
        state.doubt.values = []
        state.span = Span(middle, middle)
        state.day.distance_of(at, middle, middle, 0.0, 0.0)


def _beside(state: AnomalyState, at: float, value: float, figure: float, scale: float) -> float:
    """Return the surprise of a wild value that teaches nothing; `figure` is how far it is from the short level."""
    spike = state.spike.rarity_of(figure)
    shift = state.shift.rarity_of(multiple_of(abs(state.recent - state.long), scale))
    distance = state.day.distance_of(at, value, None, state.interval, scale)
    season = 0.0 if distance is None else state.season.rarity_of(distance)
    return (spike + shift + season) / 3
