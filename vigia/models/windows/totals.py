"""What a window keeps of its samples: count, sum, min, max, and a sketch or for counters a climb.

All of it is independent of the order of arrival. Float addition depends on its order, so windows rebuilt from
differently cut batches would differ in their last digits. Here the sum is the exact one, rounded once; what the
rounding lost is kept beside the sketch, so that merging is exact.

A series that came anew as another kind than before has both sketches and climbs: its sketches are what is kept.
"""

import struct
from collections.abc import Sequence
from itertools import chain
from math import fsum, isnan

import msgspec

from vigia.models.windows import climb as climbs
from vigia.models.windows.climb import Climb, climb_of
from vigia.models.windows.sketch import Sketch, SketchError, encoded_lone

_COUNT = struct.Struct("<B")
_CLIMB = bytes([climbs.VERSION])
_NOTHING_LOST = _COUNT.pack(0)


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """Totals of at least one value. `digest` is the lost part of the sum followed by the encoded sketch or climb."""

    count: int
    sum: float
    min: float
    max: float
    digest: bytes


def totals_of(values: list[float]) -> Totals:
    """Return the totals of one or more finite `values` of magnitudes up to `vigia.events.samples.MAX_VALUE`.

    >>> totals_of([0.1, 0.2, 0.3]).sum == totals_of([0.3, 0.2, 0.1]).sum == 0.6
    True
    """
    if len(values) == 1:
        return _of_one(values[0], _NOTHING_LOST + encoded_lone(values[0]))
    return totals_from(values, Sketch.of(values).encode())


def plain_totals(values: list[float]) -> Totals:
    """Return the totals of one or more `values` without their sketch: `digest` is empty."""
    if len(values) == 1:
        return _of_one(values[0], b"")
    return Totals(len(values), fsum(values) + 0.0, min(values) + 0.0, max(values) + 0.0, b"")


def counter_totals(values: list[float], times: Sequence[float]) -> Totals:
    """Return the totals of one or more samples of a counter, with its climb."""
    return totals_from(values, climb_of(times, values).encode())


def totals_from(values: list[float], sketch: bytes) -> Totals:
    """Return the totals of `values` whose encoded sketch is known already."""
    total, *lost = _exact_sum(values)
    # adding 0.0 turns -0.0 into 0.0, which is equal but not the same bytes
    return Totals(len(values), total, min(values) + 0.0, max(values) + 0.0, _digest(lost, sketch))


def _of_one(value: float, digest: bytes) -> Totals:
    # adding 0.0 turns -0.0 into 0.0, which is equal but not the same bytes
    value += 0.0
    return Totals(1, value, value, value, digest)


def merged(left: Totals, right: Totals) -> Totals:
    """Return the totals of both, parts of one window; associative and commutative, exactly."""
    (left_lost, left_rest), (right_lost, right_rest) = _split(left.digest), _split(right.digest)
    total, *lost = _exact_sum([left.sum, *left_lost, right.sum, *right_lost])
    low, high = min(left.min, right.min), max(left.max, right.max)
    if _is_climb(left_rest) and _is_climb(right_rest):
        rest = climbs.merged(Climb.decode(left_rest), Climb.decode(right_rest), low, high).encode()
    else:
        rest = _sketches([left_rest, right_rest])
    return Totals(left.count + right.count, total, low, high, _digest(lost, rest))


def rolled_up(parts: Sequence[Totals]) -> Totals:
    """Return the totals over one or more windows that follow each other in time."""
    split = [_split(each.digest) for each in parts]
    total, *lost = _exact_sum([*(each.sum for each in parts), *chain.from_iterable(lost for lost, _ in split)])
    rests = [rest for _, rest in split]
    rest = climbs.chained(map(Climb.decode, rests)).encode() if all(map(_is_climb, rests)) else _sketches(rests)
    low, high = min(each.min for each in parts), max(each.max for each in parts)
    return Totals(sum(each.count for each in parts), total, low, high, _digest(lost, rest))


def sketch_in(digest: bytes) -> Sketch:
    """Return the sketch in a digest, as in the column `sketch` of a window's row; raises SketchError."""
    return Sketch.decode(_split(digest)[1])


def climb_in(digest: bytes) -> Climb | None:
    """Return the climb in a digest; None when it has a sketch. Raises SketchError when it has neither."""
    rest = _split(digest)[1]
    return Climb.decode(rest) if _is_climb(rest) else None


def _is_climb(rest: bytes) -> bool:
    return rest[:1] == _CLIMB


def _sketches(rests: Sequence[bytes]) -> bytes:
    """Return the encoded sketch of all that are sketches, of which there is one at least."""
    return Sketch.merged_all([Sketch.decode(rest) for rest in rests if not _is_climb(rest)]).encode()


def _exact_sum(values: list[float]) -> list[float]:
    """Return the exact sum as floats: it rounded, then the rest rounded, and so on; a function of the sum alone."""
    rest = values.copy()
    parts: list[float] = []
    while part := fsum(rest):
        if isnan(part):
            raise ValueError("NaN has no place in a sum; samples are checked when they are decoded")
        parts.append(part)
        rest.append(-part)
    return parts or [0.0]


def _digest(lost: list[float], sketch: bytes) -> bytes:
    return struct.pack(f"<B{len(lost)}d", len(lost), *lost) + sketch


def _split(digest: bytes) -> tuple[tuple[float, ...], bytes]:
    if not digest:
        raise SketchError("a digest has at least one byte, this one none")
    (number,) = _COUNT.unpack_from(digest)
    end = _COUNT.size + 8 * number
    if len(digest) < end:
        raise SketchError(f"a digest with {number} lost parts has at least {end} bytes, this one {len(digest)}")
    return struct.unpack_from(f"<{number}d", digest, _COUNT.size), digest[end:]
