"""The totals of many windows at once: a busy lane closes a thousand small ones together, and numpy pays only in bulk.

It gives, byte for byte, what `totals_of` gives one by one; windows that are not of the usual kind are left to that.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from vigia.models.windows.buckets import LARGEST, SMALLEST, keys_of
from vigia.models.windows.sketch import MAX_BUCKETS, Sketch, encode_parts
from vigia.models.windows.totals import Totals, totals_from, totals_of

_ENOUGH = 128
"""From so many values on, numpy's fixed costs are worth it; measured with windows of 1 to 100 values."""

_SIGNS = 4
_KEYS = 1 << 16
_BYTE = 0xFF


def totals_of_many(groups: Sequence[list[float]]) -> list[Totals]:
    """Return the totals of each group; the groups are not empty and hold finite values as `totals_of` wants them."""
    several = [values for values in groups if len(values) > 1]
    if sum(map(len, several)) < _ENOUGH:
        return [totals_of(values) for values in groups]
    encoded = iter(_encoded(several))
    return [totals_from(values, next(encoded)) if len(values) > 1 else totals_of(values) for values in groups]


def _encoded(groups: Sequence[list[float]]) -> list[bytes]:
    """Return the encoded sketch of each group.

    Each value becomes one number that sorts by group, then negative, zero, positive, then key; runs of equal numbers
    are the buckets, in the order in which they are encoded.
    """
    values = np.fromiter(chain.from_iterable(groups), np.float64, sum(map(len, groups)))
    magnitudes = np.abs(values)
    if not magnitudes.max() < LARGEST:
        raise ValueError(f"magnitudes must be below {LARGEST:g}, one is {magnitudes.max()}")
    signs = np.where(magnitudes < SMALLEST, 1, np.where(values < 0, 0, 2))
    keys = np.where(signs == 1, 0, keys_of(np.maximum(magnitudes, SMALLEST)))
    numbers = (np.repeat(np.arange(len(groups)), [len(group) for group in groups]) * _SIGNS + signs) * _KEYS + keys
    numbers.sort()
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
    counts = np.diff(starts, append=len(numbers))
    runs = numbers[starts]
    steps = np.diff(runs, prepend=runs[:1])
    # where each group's negatives, zero and positives begin, and where the next group does
    bounds = np.searchsorted(runs, np.arange(len(groups) * _SIGNS) * _KEYS).reshape(-1, _SIGNS)
    wide = _wide(runs, steps, counts)
    run_keys = (runs % _KEYS).tolist()
    step_bytes, count_bytes = (steps & _BYTE).astype(np.uint8).tobytes(), (counts & _BYTE).astype(np.uint8).tobytes()
    result = []
    for index, (negative, zero, positive, end) in enumerate(bounds.tolist()):
        if index in wide or max(zero - negative, end - positive) > MAX_BUCKETS:
            result.append(Sketch.of(groups[index]).encode())
            continue
        firsts = (run_keys[negative] if zero > negative else 0, run_keys[positive] if end > positive else 0)
        group_steps = step_bytes[negative + 1 : zero] + step_bytes[positive + 1 : end]
        group_counts = (count_bytes[zero:positive] or b"\0") + count_bytes[negative:zero] + count_bytes[positive:end]
        result.append(encode_parts(zero - negative, end - positive, firsts, group_steps, group_counts))
    return result


def _wide(runs: NDArray[np.int64], steps: NDArray[np.int64], counts: NDArray[np.int64]) -> set[int]:
    """Return the groups with a step from key to key, or a count, of more than a byte."""
    same = np.concatenate(([False], runs[1:] // _KEYS == runs[:-1] // _KEYS))
    found = runs[(same & (steps > _BYTE)) | (counts > _BYTE)] // (_KEYS * _SIGNS)
    return set(found.tolist())
