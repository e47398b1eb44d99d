"""What a window keeps of its samples: count, sum, min, max and the sketch, all independent of the order of arrival.

Float addition depends on its order, so windows rebuilt from differently cut batches would differ in their last digits.
Here the sum is the exact one, rounded once; what the rounding lost is kept beside the sketch, so that merging is exact.
"""

import struct
from math import fsum, isnan

import msgspec

from vigia.models.windows.sketch import Sketch, SketchError

_COUNT = struct.Struct("<B")


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """Totals of at least one value. `digest` is the lost part of the sum followed by the encoded sketch."""

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
    return totals_from(values, Sketch.of(values).encode())


def plain_totals(values: list[float]) -> Totals:
    """Return the totals of one or more `values` without their sketch: `digest` is empty."""
    return Totals(len(values), fsum(values) + 0.0, min(values) + 0.0, max(values) + 0.0, b"")


def totals_from(values: list[float], sketch: bytes) -> Totals:
    """Return the totals of `values` whose encoded sketch is known already."""
    total, *lost = _exact_sum(values)
    # adding 0.0 turns -0.0 into 0.0, which is equal but not the same bytes
    return Totals(len(values), total, min(values) + 0.0, max(values) + 0.0, _digest(lost, sketch))


def merged(left: Totals, right: Totals) -> Totals:
    """Return the totals of both; associative and commutative, exactly."""
    (left_lost, left_sketch), (right_lost, right_sketch) = _split(left.digest), _split(right.digest)
    total, *lost = _exact_sum([left.sum, *left_lost, right.sum, *right_lost])
    return Totals(
        left.count + right.count,
        total,
        min(left.min, right.min),
        max(left.max, right.max),
        _digest(lost, left_sketch.merged(right_sketch).encode()),
    )


def sketch_in(digest: bytes) -> Sketch:
    """Return the sketch in a digest, as in the column `sketch` of a window's row; raises SketchError."""
    return _split(digest)[1]


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


def _split(digest: bytes) -> tuple[tuple[float, ...], Sketch]:
    if not digest:
        raise SketchError("a digest has at least one byte, this one none")
    (number,) = _COUNT.unpack_from(digest)
    end = _COUNT.size + 8 * number
    if len(digest) < end:
        raise SketchError(f"a digest with {number} lost parts has at least {end} bytes, this one {len(digest)}")
    return struct.unpack_from(f"<{number}d", digest, _COUNT.size), Sketch.decode(digest[end:])
