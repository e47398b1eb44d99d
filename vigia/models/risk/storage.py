"""The stored form of the Bayesian model's state: msgpack, lists of numbers, 9 kB, exact to the last bit."""

from typing import Any

import msgspec
import numpy as np

from vigia.models.risk import bayes
from vigia.models.risk.encoding import COLUMNS
from vigia.models.risk.scales import Scales


class _Stored(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    schema: int
    mean: list[float]
    covariance: list[float]
    """The upper triangle: the matrix is symmetric."""
    variances: list[float]
    changes: list[float]
    centre: list[float]
    squares: list[float]
    slope: float
    slope_variance: float
    shift: float
    failed: int
    clean: int
    learned: int


SCHEMA = 3
"""Of the stored form. Schema 2 had the covariance of slope and shift, and what decisions went by."""

_DECODER = msgspec.msgpack.Decoder(list[Any])
_TRIANGLE = np.triu_indices(bayes.JOINT)


def dump(state: bayes.State) -> bytes:
    """Return the stored form, which `load` turns into an equal state."""
    return msgspec.msgpack.encode(
        _Stored(
            SCHEMA,
            state.mean.tolist(),
            state.covariance[_TRIANGLE].tolist(),
            state.variances.tolist(),
            state.scales.changes.tolist(),
            state.scales.centre.tolist(),
            state.scales.squares.tolist(),
            state.slope,
            state.slope_variance,
            state.shift,
            state.failed,
            state.clean,
            state.learned,
        )
    )


def load(body: bytes) -> bayes.State:
    """Return the state from its stored form, this schema's or the one before; raises ValueError when it is of another
    one, or not whole.
    """
    try:
        values = _DECODER.decode(body)
        schema = values[0]
        if schema == SCHEMA - 1:
            values = _converted(values)
        elif schema != SCHEMA:
            raise ValueError(
                f"not a stored risk model: schema {schema!r}, but this version reads {SCHEMA - 1} and {SCHEMA}"
            )
        stored = msgspec.convert(values, _Stored)
    except (msgspec.MsgspecError, IndexError, TypeError) as error:
        raise ValueError(f"not a stored risk model: {error}") from error
    lists = (stored.mean, stored.covariance, stored.variances, stored.changes, stored.centre, stored.squares)
    lengths = (bayes.SIZE, len(_TRIANGLE[0]), bayes.SIZE - bayes.JOINT, len(COLUMNS), len(COLUMNS), len(COLUMNS))
    if tuple(map(len, lists)) != lengths:
        raise ValueError(f"not a stored risk model: lists of {tuple(map(len, lists))} numbers instead of {lengths}")
    if not _possible(stored, lists):
        raise ValueError("not a stored risk model: it has numbers that no model comes to")
    covariance = np.zeros((bayes.JOINT, bayes.JOINT))
    covariance[_TRIANGLE] = stored.covariance
    covariance.T[_TRIANGLE] = stored.covariance
    return bayes.State(
        mean=np.array(stored.mean),
        covariance=covariance,
        variances=np.array(stored.variances),
        scales=Scales(np.array(stored.changes), np.array(stored.centre), np.array(stored.squares)),
        slope=stored.slope,
        slope_variance=stored.slope_variance,
        shift=stored.shift,
        failed=stored.failed,
        clean=stored.clean,
        learned=stored.learned,
    )


def _possible(stored: _Stored, lists: tuple[list[float], ...]) -> bool:
    """Return whether a model can have come to these numbers: one that is not finite, or a variance below zero, would be
    scored by without a word.
    """
    numbers = np.concatenate([*map(np.array, lists), [stored.slope, stored.slope_variance, stored.shift]])
    diagonal = np.array(stored.covariance)[_TRIANGLE[0] == _TRIANGLE[1]]
    return bool(
        np.isfinite(numbers).all()
        and min(*stored.changes, *stored.squares) > 0.0
        and min(*diagonal, *stored.variances, stored.slope_variance) >= 0.0
        and min(stored.failed, stored.clean, stored.learned) >= 0
    )


def _converted(values: list[Any]) -> list[Any]:
    """Return schema 2 as the present one. What its borders had learned is learned anew from what is deployed."""
    match values:
        case [*first, slope, shift, [variance, _, _], [*_, failed, clean], learned]:
            return [SCHEMA, *first[1:], slope, variance, shift, failed, clean, learned]
    raise TypeError("it is not whole")
