"""A deterministic, mergeable quantile sketch: DDSketch with 1 % relative error over both signs.

What it holds depends only on the multiset of the values, never on the order in which they came or sketches were merged,
and so do its bytes. It is exact arithmetic throughout: counts are integers, keys come from comparisons.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from vigia.models.windows.buckets import LARGEST, SMALLEST, count_keys, key_of, value_of

MAX_BUCKETS = 2_048
"""Most buckets kept for each sign. Beyond it the smallest magnitudes share one bucket, the lowest that is kept:
quantiles that fall into it come out too far from zero, all others stay within 1 %. Side by side, 2,048 buckets span 17
decades."""

_VERSION = 1
_HEADER = struct.Struct("<BBHHHH")
_WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_STEP_WIDTHS = (1, 2)
_LARGEST_KEY = 0xFFFF


class SketchError(ValueError):
    """Bytes that are not an encoded sketch of a version this code reads."""


class Sketch:
    """Counts of values by bucket: `positive` and `negative` by the key of the magnitude, `zeros` apart.

    >>> sketch = Sketch.of([3.0, 1.0, 2.0, -5.0, 0.0])
    >>> sketch.count, round(sketch.quantile(0.5), 1)
    (5, 1.0)
    >>> Sketch.decode(sketch.encode()) == sketch
    True
    """

    __slots__ = ("negative", "positive", "zeros")

    def __init__(self) -> None:
        self.zeros = 0
        self.positive: dict[int, int] = {}
        self.negative: dict[int, int] = {}

    @classmethod
    def of(cls, values: Sequence[float]) -> "Sketch":
        """Return the sketch of `values` without NaN; raises ValueError at a magnitude from `LARGEST` on."""
        sketch = cls()
        if not values:
            return sketch
        low, high = min(values), max(values)
        if not -LARGEST < low <= high < LARGEST:
            raise ValueError(f"values from {low} to {high}: magnitudes must be below {LARGEST:g}")
        if low >= SMALLEST:
            # the usual window is all positive: nothing to sort out
            sketch.positive = _bounded(count_keys(values))
            return sketch
        positive = [value for value in values if value >= SMALLEST]
        negative = [-value for value in values if value <= -SMALLEST]
        sketch.zeros = len(values) - len(positive) - len(negative)
        sketch.positive = _bounded(count_keys(positive)) if positive else {}
        sketch.negative = _bounded(count_keys(negative)) if negative else {}
        return sketch

    @property
    def count(self) -> int:
        """How many values it has taken."""
        return self.zeros + sum(self.positive.values()) + sum(self.negative.values())

    def merged(self, other: "Sketch") -> "Sketch":
        """Return the sketch of both; associative and commutative, exactly."""
        result = Sketch()
        result.zeros = self.zeros + other.zeros
        result.positive = _bounded(_added(self.positive, other.positive))
        result.negative = _bounded(_added(self.negative, other.negative))
        return result

    @staticmethod
    def merged_all(sketches: "Sequence[Sketch]") -> "Sketch":
        """Return the sketch of all; the same as merging them one by one in any order."""
        result = Sketch()
        for each in sketches:
            result.zeros += each.zeros
            for total, counts in ((result.positive, each.positive), (result.negative, each.negative)):
                for key, count in counts.items():
                    total[key] = total.get(key, 0) + count
        result.positive, result.negative = _bounded(result.positive), _bounded(result.negative)
        return result

    def quantile(self, q: float) -> float:
        """Return the value of rank floor(q * (count - 1)) in ascending order, within 1 % of its magnitude.

        `q` is in [0, 1]. Raises ValueError for another `q`, or when the sketch is empty.
        """
        count = self.count
        if not 0 <= q <= 1 or not count:
            raise ValueError(f"quantile {q} of {count} values: it needs a quantile in [0, 1] and at least one value")
        left = int(q * (count - 1))
        for key in sorted(self.negative, reverse=True):
            left -= self.negative[key]
            if left < 0:
                return -value_of(key)
        left -= self.zeros
        if left < 0:
            return 0.0
        for key in sorted(self.positive):
            left -= self.positive[key]
            if left < 0:
                return value_of(key)
        raise AssertionError("the ranks of a sketch end with its count")

    def share_from(self, value: float) -> float:
        """Return the share of values in [0, 1] that are at least `value` > 0; those of its own bucket, within 2 % of
        it, count as if they were.

        Raises ValueError when the sketch is empty or `value` is no magnitude that has a bucket.

        >>> Sketch.of([0.5, 1.0, 2.0, 4.0]).share_from(1.5)
        0.5
        """
        count = self.count
        if not SMALLEST <= value < LARGEST or not count:
            raise ValueError(f"share from {value} of {count} values: it needs a positive value and at least one value")
        lowest = key_of(value)
        return sum(number for key, number in self.positive.items() if key >= lowest) / count

    def encode(self) -> bytes:
        """Return the canonical bytes, little-endian; equal sketches have equal bytes.

        Layout: version (u8); widths (u8: bytes of a count, plus 16 when key steps take two bytes instead of one);
        numbers of negative and of positive buckets (2 x u16); first keys of both (2 x u16, 0 when there is none); steps
        from key to next key, negative then positive; counts: zeros, negative, positive.
        """
        negative, positive = sorted(self.negative), sorted(self.positive)
        steps = [after - before for keys in (negative, positive) for before, after in pairwise(keys)]
        counts = [self.zeros, *map(self.negative.__getitem__, negative), *map(self.positive.__getitem__, positive)]
        step_width, count_width = _width(max(steps, default=0)), _width(max(counts))
        firsts = (negative[0] if negative else 0, positive[0] if positive else 0)
        packed = _packed(steps, step_width), _packed(counts, count_width)
        return encode_parts(len(negative), len(positive), firsts, *packed, step_width, count_width)

    @classmethod
    def decode(cls, data: bytes) -> "Sketch":
        """Return the sketch that `encode` gave `data` for; raises SketchError saying what is wrong with it."""
        if len(data) < _HEADER.size:
            raise SketchError(f"a sketch has at least {_HEADER.size} bytes, this one {len(data)}")
        version, widths, negatives, positives, first_negative, first_positive = _HEADER.unpack_from(data)
        if version != _VERSION:
            raise SketchError(f"sketch version {version}; this code reads version {_VERSION}")
        step_width, count_width = (widths >> 4) + 1, widths & 15
        if step_width not in _STEP_WIDTHS or count_width not in _WIDTHS or max(negatives, positives) > MAX_BUCKETS:
            raise SketchError(f"sketch header {data[: _HEADER.size].hex()} has widths or numbers that do not exist")
        steps_of = max(negatives - 1, 0), max(positives - 1, 0)
        middle = _HEADER.size + sum(steps_of) * step_width
        end = middle + (1 + negatives + positives) * count_width
        if len(data) != end:
            raise SketchError(f"a sketch with {negatives} + {positives} buckets has {end} bytes, this one {len(data)}")
        steps = _unpacked(data[_HEADER.size : middle], step_width)
        counts = _unpacked(data[middle:], count_width)
        if 0 in steps or 0 in counts[1:]:
            raise SketchError("a sketch has no empty and no repeated buckets")
        sketch = cls()
        sketch.zeros = counts[0]
        sketch.negative = _from_steps(negatives, first_negative, steps[: steps_of[0]], counts[1 : 1 + negatives])
        sketch.positive = _from_steps(positives, first_positive, steps[steps_of[0] :], counts[1 + negatives :])
        return sketch

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        return (self.zeros, self.negative, self.positive) == (other.zeros, other.negative, other.positive)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Sketch(count={self.count}, buckets={len(self.positive) + len(self.negative)})"


def encoded_lone(value: float) -> bytes:
    """Return the encoded sketch of a single value; raises ValueError as `Sketch.of` does.

    >>> encoded_lone(-1.5) == Sketch.of([-1.5]).encode()
    True
    """
    magnitude = abs(value)
    if not magnitude < LARGEST:
        raise ValueError(f"magnitudes must be below {LARGEST:g}, not {value}")
    if magnitude < SMALLEST:
        return encode_parts(0, 0, (0, 0), b"", b"\1")
    key = key_of(magnitude)
    if value > 0:
        return encode_parts(0, 1, (0, key), b"", b"\0\1")
    return encode_parts(1, 0, (key, 0), b"", b"\0\1")


def encode_parts(
    negatives: int,
    positives: int,
    firsts: tuple[int, int],
    steps: bytes,
    counts: bytes,
    step_width: int = 1,
    count_width: int = 1,
) -> bytes:
    """Return an encoded sketch from its parts, as `Sketch.encode` lays them out."""
    return _HEADER.pack(_VERSION, count_width + 16 * (step_width - 1), negatives, positives, *firsts) + steps + counts


def _added(left: dict[int, int], right: dict[int, int]) -> dict[int, int]:
    result = dict(left)
    for key, count in right.items():
        result[key] = result.get(key, 0) + count
    return result


def _bounded(counts: dict[int, int]) -> dict[int, int]:
    """Fold the lowest keys into the lowest that is kept.

    The highest MAX_BUCKETS keys of a union are among the highest of its parts, and what a part folded lies below them
    or in the lowest of them; so folding before or after merging is the same.
    """
    if len(counts) <= MAX_BUCKETS:
        return counts
    keys = sorted(counts)
    lowest, kept = keys[: -MAX_BUCKETS + 1], keys[-MAX_BUCKETS + 1 :]
    return {lowest[-1]: sum(counts[key] for key in lowest), **{key: counts[key] for key in kept}}


def _width(largest: int) -> int:
    return next(width for width in _WIDTHS if largest < 1 << 8 * width)


def _packed(numbers: list[int], width: int) -> bytes:
    return bytes(numbers) if width == 1 else struct.pack(f"<{len(numbers)}{_WIDTHS[width]}", *numbers)


def _unpacked(data: bytes, width: int) -> list[int]:
    return list(data) if width == 1 else list(struct.unpack(f"<{len(data) // width}{_WIDTHS[width]}", data))


def _from_steps(number: int, first: int, steps: Iterable[int], counts: list[int]) -> dict[int, int]:
    if not number:
        return {}
    keys = list(accumulate(steps, initial=first))
    if keys[-1] > _LARGEST_KEY:
        raise SketchError(f"a sketch's keys end at {_LARGEST_KEY}, this one's at {keys[-1]}")
    return dict(zip(keys, counts, strict=True))
