"""How a counter climbed: what is kept of its samples in the place of a sketch, whose quantiles would mean nothing.

A counter only grows; when it is less than before, it was reset to zero between (OpenTelemetry: a monotonic cumulative
sum; Prometheus: `increase`). Samples may come out of order, and must not look like resets then. So a window keeps only
what does not depend on the order of arrival: its earliest and its latest sample, its least and its largest value.

- Least is earliest and largest is latest: it only grew, by the difference.
- Else it was reset: it grew from the earliest to the largest, and from zero to the latest. If the latest is the
  largest, how far it came before the reset is not known, and taken for nothing.

So a single reset in a window is counted as Prometheus does it, which loses as much: what was counted after the last
sample before it. When there are more in one window, the increase is a lower bound.

What it grew by between two windows stands in neither, so that a row depends on nobody's samples but its own: it is
added when hours are made of windows, and when rates are read.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import fsum
from typing import NamedTuple

VERSION = 2
"""First byte of the encoded form; that of a sketch is another."""

_FORM = struct.Struct("<B5d")


class Climb(NamedTuple):
    """Earliest and latest sample, their times in epoch seconds, and the increase between them, at least 0.

    >>> climb = climb_of([100.0, 115.0, 130.0, 145.0], [7.0, 9.0, 2.0, 3.0])
    >>> climb.first, climb.last, climb.increase
    (7.0, 3.0, 5.0)
    >>> Climb.decode(climb.encode()) == climb
    True
    """

    first_at: float
    first: float
    last_at: float
    last: float
    increase: float

    def encode(self) -> bytes:
        """Return its bytes: the version and five little-endian doubles."""
        return _FORM.pack(VERSION, *self)

    @classmethod
    def decode(cls, data: bytes) -> "Climb":
        """Return what `encode` gave `data` for; raises struct.error for other lengths."""
        return cls(*_FORM.unpack(data)[1:])


def climb_of(times: Sequence[float], values: Sequence[float]) -> Climb:
    """Return the climb of one or more samples in any order; of two at the same time the larger one is the later."""
    pairs = list(zip(times, values, strict=True))
    (first_at, first), (last_at, last) = min(pairs), max(pairs)
    return _climb(first_at, first, last_at, last, min(values), max(values))


def merged(left: Climb, right: Climb, low: float, high: float) -> Climb:
    """Return the climb of the samples of both, of which `low` and `high` are the extremes; for parts of one window.

    Associative and commutative, exactly.
    """
    first, last = min(left[:2], right[:2]), max(left[2:4], right[2:4])
    return _climb(*first, *last, low, high)


def chained(climbs: Iterable[Climb]) -> Climb:
    """Return the climb over one or more that follow each other in time, with what lies between them."""
    all_of = list(climbs)
    between = [step(before.last, after.first) for before, after in pairwise(all_of)]
    total = fsum([*(each.increase for each in all_of), *between])
    return Climb(*all_of[0][:2], *all_of[-1][2:4], total)


def step(before: float, after: float) -> float:
    """Return the increase from one sample to the next: all of `after` when it is less, since it was reset."""
    return after - before if after >= before else max(after, 0.0)


def _climb(first_at: float, first: float, last_at: float, last: float, low: float, high: float) -> Climb:
    if first <= low and high <= last:
        increase = last - first
    else:
        increase = (high - first if high > last else 0.0) + max(last, 0.0)
    # adding 0.0 turns -0.0 into 0.0
    return Climb(first_at, first + 0.0, last_at, last + 0.0, increase + 0.0)
