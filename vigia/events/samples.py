"""Metric samples: one, or many of one series packed into a message.

This is the hot path: hundreds of thousands a second. Checks that depend only on the series (names, labels) are made
once per series by whoever meets it first, through `series_of`; the Struct itself checks only what differs per sample.
"""

from collections.abc import Sequence
from math import isfinite
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import MAX_NAME, check_name, check_optional_name
from vigia.events.times import EARLIEST, LATEST, Time, epoch_seconds

_TIME = itemgetter(0)

Kind = Literal["gauge", "counter"]
"""A gauge is a level; a counter only grows, but for resets to zero."""

MAX_POINTS = 10_000
"""Most points one packed message may carry."""

MAX_LABELS = 16
"""Most labels a series may have."""

MAX_VALUE = 1e280
"""Largest magnitude of a value: no sum of such values can overflow to infinity, and from there to NaN."""


class PlainSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The fields of a `Sample`, as decoded: who makes one has `plain_times` check it."""

    service: str
    metric: str
    ts: Time | None = None
    value: float | None = None
    points: list[tuple[Time, float]] | None = None
    environment: str = DEFAULT_ENVIRONMENT
    kind: Kind = "gauge"
    unit: str = ""
    labels: dict[str, str] | None = None
    event_id: str = ""

    @property
    def identity(self) -> str:
        """The sender's id, or empty."""
        return self.event_id

    @property
    def occurred_at(self) -> float:
        """The time of the latest point."""
        return max(map(_TIME, self.points)) if self.points is not None else self.ts or 0.0

    @property
    def weight(self) -> int:
        """The number of points."""
        return len(self.points) if self.points is not None else 1


class Sample(PlainSample, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A measured value of one series, or several as `points`.

    `ts` is the time of measurement (RFC 3339 or epoch seconds); `value` is in `unit` (free text, UCUM preferred, such
    as `1` for ratios, `By`, `ms`). Exactly one of (`ts`, `value`) and `points` is given. With `event_id`, a repeat is
    recognised; without one each sample is counted as sent.
    """

    def __post_init__(self) -> None:
        if self.points is not None:
            _check_points(self)
            return
        if self.value is None or self.ts is None:
            missing = "value" if self.value is None else "ts"
            raise InvalidEvent(Reason.MISSING_FIELD, f"a sample needs `{missing}` (or `points`)")
        # written so that NaN fails it too
        if not -MAX_VALUE <= self.value <= MAX_VALUE:
            raise _unusable(self.value, "value is")
        # the comparison is the fast path: a plain number in range needs no further look
        if type(self.ts) is not float or not EARLIEST <= self.ts < LATEST:
            msgspec.structs.force_setattr(self, "ts", epoch_seconds(self.ts, "ts"))


def plain_times(samples: Sequence[PlainSample]) -> list[float] | None:
    """Return the time of each of one or more decoded samples if `Sample` would take all of them as they are, none is
    packed, and none has an id; else None.

    Calling `__post_init__` takes longer than decoding; checking all at once takes a third of it.
    """
    packed = len(samples) - [sample.points for sample in samples].count(None)
    if packed or {sample.event_id for sample in samples} != {""}:
        return None
    times: list[Any] = [sample.ts for sample in samples]
    return times if _in_range(times, [sample.value for sample in samples]) else None


def _in_range(times: Sequence[Any], values: Sequence[Any]) -> bool:
    """Return whether all times are float epoch seconds, and all values floats, that a sample may have."""
    if set(map(type, times)) != {float} or set(map(type, values)) != {float}:
        return False
    # a sum with NaN in it is NaN, which no minimum would show
    return (
        isfinite(sum(times) + sum(values))
        and min(times) >= EARLIEST
        and max(times) < LATEST
        and min(values) >= -MAX_VALUE
        and max(values) <= MAX_VALUE
    )


def _unusable(value: float, what: str) -> InvalidEvent:
    if not isfinite(value):
        return InvalidEvent(Reason.NOT_FINITE, f"{what} {value}: a sample must be a finite number")
    return InvalidEvent(Reason.BAD_VALUE, f"{what} {value}: the magnitude of a sample is at most {MAX_VALUE:g}")


def _check_points(sample: PlainSample) -> None:
    points = sample.points or []
    if sample.value is not None or sample.ts is not None:
        raise InvalidEvent(Reason.BAD_VALUE, "a sample has either `ts` and `value`, or `points`; not both")
    if not points:
        raise InvalidEvent(Reason.MISSING_FIELD, "`points` is empty")
    if len(points) > MAX_POINTS:
        raise InvalidEvent(Reason.TOO_LARGE, f"`points` has {len(points)} points; at most {MAX_POINTS} are allowed")
    if set(map(type, points)) == {tuple} and _in_range(*zip(*points, strict=True)):
        return
    normal = []
    for index, (ts, value) in enumerate(points):
        if not -MAX_VALUE <= value <= MAX_VALUE:
            raise _unusable(value, f"points[{index}] has the value")
        normal.append((epoch_seconds(ts, f"points[{index}][0]"), value))
    msgspec.structs.force_setattr(sample, "points", normal)


class Series(NamedTuple):
    """What a sample belongs to: (service, environment, metric, sorted labels), and what its values mean."""

    series_id: str
    service: str
    environment: str
    metric: str
    labels: tuple[tuple[str, str], ...]
    kind: Kind
    unit: str

    @property
    def label_text(self) -> str:
        """The labels as one text, such as `disk=sda,host=a`."""
        return ",".join(f"{name}={value}" for name, value in self.labels)


def series_of(sample: PlainSample) -> Series:
    """Return the series of a sample; raises InvalidEvent when its names or labels are not usable.

    The id is derived from service, environment, metric and sorted labels; kind and unit describe the series and are not
    part of it.
    """
    check_name(sample.service, "service")
    check_name(sample.environment, "environment")
    check_name(sample.metric, "metric")
    check_optional_name(sample.unit, "unit")
    labels = tuple(sorted((sample.labels or {}).items()))
    if len(labels) > MAX_LABELS:
        raise InvalidEvent(Reason.TOO_LARGE, f"the sample has {len(labels)} labels; at most {MAX_LABELS} are allowed")
    for name, value in labels:
        check_name(name, "label name")
        check_optional_name(value, f"label {name}")
    parts = [part for pair in labels for part in pair]
    if sum(map(len, parts)) > 4 * MAX_NAME:
        raise InvalidEvent(Reason.TOO_LARGE, f"the labels have more than {4 * MAX_NAME} characters together")
    series_id = derive_id("series", sample.service, sample.environment, sample.metric, *parts)
    return Series(series_id, sample.service, sample.environment, sample.metric, labels, sample.kind, sample.unit)
