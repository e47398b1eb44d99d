"""Real problems of stated sizes, put into healthy services: ten of each kind of the four rule detectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.ml.problems.healthy import MINUTES_A_DAY, Floats, Service

HOUR = 60


@dataclass(frozen=True)
class Injected:
    """One problem: in [onset, end) of minutes it is there to be found."""

    service: int
    metric: str
    detector: str
    size: float
    unit: str
    onset: int
    end: int


@dataclass(frozen=True)
class Kind:
    """How problems of one detector look; `sizes` are in `unit`."""

    detector: str
    metric: str
    sizes: tuple[float, ...]
    unit: str
    put: Callable[[Floats, int, float, np.random.Generator], int]
    """Changes the values from a minute on for a size, and returns the minute at which the problem is over."""


def _errors(values: Floats, onset: int, size: float, rng: np.random.Generator) -> int:
    end = onset + HOUR
    values[onset:end] = np.clip(size / 100 + rng.normal(0, size / 1_000, end - onset), 0, 1)
    return end


def _slow(values: Floats, onset: int, size: float, rng: np.random.Generator) -> int:
    end = onset + HOUR
    values[onset:end] *= size * rng.lognormal(0, 0.1, end - onset)
    return end


def _fills(values: Floats, onset: int, size: float, rng: np.random.Generator) -> int:
    """Full within `size` hours from the level at the onset; emptied then."""
    minutes = int(size * HOUR)
    end = min(len(values), onset + minutes)
    per_minute = (100 - float(np.nanmean(values[onset - 5 : onset]))) / minutes
    growth = np.cumsum(rng.gamma(4.0, per_minute / 4.0, end - onset))
    values[onset:end] = np.minimum(100.0, values[onset:end] + growth)
    return end


def _leaks(values: Floats, onset: int, size: float, rng: np.random.Generator) -> int:
    """As a disk fills, and again after the restart that it ends with."""
    end = _fills(values, onset, size, rng)
    again = min(len(values), end + int(size * HOUR))
    if again > end:
        _fills(values[:again], end, size, rng)
    return end


KINDS = (
    Kind("high_error_rate", "error_rate", (2, 4, 8, 20, 60), "% of requests for an hour", _errors),
    Kind("database_slow_queries", "db_query_p95", (5, 8, 12, 20, 40), "times the usual for an hour", _slow),
    Kind("disk_space_low", "disk_used", (3, 12, 24, 48, 96), "hours to full", _fills),
    Kind("memory_leak", "memory_used", (4, 12, 24, 48, 96), "hours to the limit", _leaks),
)
EACH = 2
"""Problems of each kind and size."""
FIRST_DAY = 9
"""Earliest day of a problem: a week is known then."""


def inject(services: list[Service], seed: int, kinds: Sequence[Kind] = KINDS) -> list[Injected]:
    """Put the problems into services and return them; one of a kind into each, while there are enough services."""
    rng = np.random.default_rng((seed, 1_000_000))
    minutes = len(next(iter(services[0].values.values())))
    injected = []
    for kind in kinds:
        sizes = [size for size in kind.sizes for _ in range(EACH)]
        chosen = rng.choice(len(services), len(sizes), replace=len(services) < len(sizes))
        for number, size in zip(chosen.tolist(), sizes, strict=True):
            longest = size * HOUR if "hours" in kind.unit else HOUR
            latest = int(minutes - longest - 1)
            onset = int(rng.integers(min(FIRST_DAY * MINUTES_A_DAY, latest - 1), latest))
            values = services[number].values[kind.metric]
            end = kind.put(values, onset, size, rng)
            injected.append(Injected(number, kind.metric, kind.detector, size, kind.unit, onset, end))
    return injected
