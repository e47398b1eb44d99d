"""The stored form of the Bayesian model's state: msgpack, lists of numbers, 9 kB, exact to the last bit."""

import msgspec
import numpy as np

from vigia.models.risk import bayes, decision
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
    shift: float
    calibration: tuple[float, float, float]
    borders: decision.Borders
    learned: int


_DECODER = msgspec.msgpack.Decoder(_Stored)
_TRIANGLE = np.triu_indices(bayes.JOINT)


def dump(state: bayes.State) -> bytes:
    """Return the stored form, which `load` turns into an equal state."""
    return msgspec.msgpack.encode(
        _Stored(
            bayes.SCHEMA,
            state.mean.tolist(),
            state.covariance[_TRIANGLE].tolist(),
            state.variances.tolist(),
            state.scales.changes.tolist(),
            state.scales.centre.tolist(),
            state.scales.squares.tolist(),
            state.slope,
            state.shift,
            state.calibration,
            state.borders,
            state.learned,
        )
    )


def load(body: bytes) -> bayes.State:
    """Return the state from its stored form; raises ValueError when it is of another schema or not whole."""
    try:
        schema = msgspec.msgpack.decode(body, type=list[object])[0]
        stored = _DECODER.decode(body) if schema == bayes.SCHEMA else None
    except (msgspec.DecodeError, IndexError) as error:
        raise ValueError(f"not a stored risk model: {error}") from error
    if stored is None:
        raise ValueError(f"not a stored risk model: schema {schema!r}, but this version reads {bayes.SCHEMA}")
    lists = (stored.mean, stored.covariance, stored.variances, stored.changes, stored.centre, stored.squares)
    lengths = (bayes.SIZE, len(_TRIANGLE[0]), bayes.SIZE - bayes.JOINT, len(COLUMNS), len(COLUMNS), len(COLUMNS))
    if tuple(map(len, lists)) != lengths:
        raise ValueError(f"not a stored risk model: lists of {tuple(map(len, lists))} numbers instead of {lengths}")
    numbers = np.concatenate([np.array(each) for each in lists])
    if not (np.isfinite(numbers).all() and min(stored.changes) > 0.0 and min(stored.squares) > 0.0):
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
        shift=stored.shift,
        calibration=stored.calibration,
        borders=stored.borders,
        learned=stored.learned,
    )
