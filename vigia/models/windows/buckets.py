"""The buckets of the quantile sketch: which key a magnitude falls under, and which value a key stands for.

DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", PVLDB
12(12), 2019) takes the logarithm of each value. Logarithms differ in their last bit between machines and between numpy
and libm, and then two workers would file one value in two buckets. So gamma is 2^(1/35) here: a value's binary exponent
and a comparison of its mantissa with 35 constants give the key, and both are exact everywhere.
"""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Context, Decimal
from math import frexp, ldexp

import numpy as np
from numpy.typing import NDArray

BUCKETS_PER_OCTAVE = 35
"""gamma = 2^(1/35); the least whole number whose relative error is below 1 %."""

RELATIVE_ERROR = 0.009902
"""Bound of (gamma - 1) / (gamma + 1), the error of a bucket's value for anything in the bucket."""

SMALLEST = 2.0**-936
"""Magnitudes below it (about 1.7e-282) count as zero."""

LARGEST = 2.0**935
"""Magnitudes from it on (about 2.9e281) have no key; samples end below, at `vigia.events.samples.MAX_VALUE`."""

_OFFSET = 32_768
"""Added to make every key fit an unsigned 16-bit number."""

_CONTEXT = Context(prec=40)
_BOUNDS = [
    float(_CONTEXT.power(Decimal(2), _CONTEXT.divide(Decimal(step - BUCKETS_PER_OCTAVE), Decimal(BUCKETS_PER_OCTAVE))))
    for step in range(BUCKETS_PER_OCTAVE + 1)
]
"""Lower bounds of the buckets of [0.5, 1), and 1: correctly rounded, since libm's pow need not be."""

_LOWER = _BOUNDS[:-1]
_LOWER_ARRAY = np.array(_LOWER)
_FEW = 24
"""Up to so many values plain Python is faster than numpy; measured on 1 to 1,000 values."""


def key_of(magnitude: float) -> int:
    """Return the key of a magnitude in [SMALLEST, LARGEST).

    >>> key_of(1.0), key_of(2.0) - key_of(1.0)
    (32803, 35)
    """
    mantissa, exponent = frexp(magnitude)
    return exponent * BUCKETS_PER_OCTAVE + bisect_right(_LOWER, mantissa) - 1 + _OFFSET


def value_of(key: int) -> float:
    """Return the value that stands for a bucket: within `RELATIVE_ERROR` of everything in it.

    >>> abs(value_of(key_of(123.4)) - 123.4) <= RELATIVE_ERROR * 123.4
    True
    """
    exponent, step = divmod(key - _OFFSET, BUCKETS_PER_OCTAVE)
    lower, upper = _BOUNDS[step], _BOUNDS[step + 1]
    return ldexp(2.0 * lower * upper / (lower + upper), exponent)


def count_keys(magnitudes: Sequence[float]) -> dict[int, int]:
    """Return how many of `magnitudes`, all in [SMALLEST, LARGEST), fall under each key, in ascending key order."""
    if len(magnitudes) <= _FEW:
        counts: dict[int, int] = {}
        for key in sorted(map(key_of, magnitudes)):
            counts[key] = counts.get(key, 0) + 1
        return counts
    keys = keys_of(np.array(magnitudes))
    keys.sort()
    starts = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist()]
    ends = [*starts[1:], len(magnitudes)]
    return dict(zip(keys[starts].tolist(), [end - start for start, end in zip(starts, ends, strict=True)], strict=True))


def keys_of(magnitudes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return `key_of` of each magnitude; bit for bit the same, since both only take apart and compare."""
    mantissas, exponents = np.frexp(magnitudes)
    keys = exponents.astype(np.int64) * BUCKETS_PER_OCTAVE
    keys += np.searchsorted(_LOWER_ARRAY, mantissas, side="right")
    keys += _OFFSET - 1
    return keys
