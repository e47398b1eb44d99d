"""A healthy service, minute by minute: what its series do all day, at weekends, after deployments and restarts.

All of it is random within what services do, from one seed; nothing is taken from the detectors' limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vigia.events.samples import Series

Floats = NDArray[np.float64]

MINUTES_A_DAY = 1_440
START = 1_704_067_200
"""A Monday at midnight, UTC."""
SAMPLES = 6
"""Samples in a window."""
WARM = 8
"""Minutes after a restart in which caches are cold."""

UNITS: Mapping[str, str] = {
    "request_rate": "1/s",
    "error_rate": "1",
    "db_query_p95": "ms",
    "disk_used": "%",
    "memory_used": "%",
    "latency": "ms",
    "queue_length": "1",
}
"""The series of a service: metric and unit."""


@dataclass
class Service:
    """Values of each minute by metric; NaN where monitoring has none."""

    name: str
    values: dict[str, Floats]
    restarts: list[int] = field(default_factory=list)
    """Minutes at which it was restarted, deployments among them."""

    def series(self, metric: str) -> Series:
        """Return the series of a metric."""
        return Series(f"{self.name}/{metric}", self.name, "production", metric, (), "gauge", UNITS[metric])


def healthy(number: int, days: int, seed: int) -> Service:
    """Return one service over so many days."""
    rng = np.random.default_rng((seed, number))
    minutes = days * MINUTES_A_DAY
    load = _load(rng, minutes)
    deployed, restarted = _moments(rng, minutes, per_day=rng.uniform(0.2, 1.5)), _moments(rng, minutes, per_day=0.3)
    restarts = sorted({*deployed, *restarted})
    requests = rng.uniform(2, 200) * load * rng.lognormal(0, 0.08, minutes)
    service = Service(f"service-{number}", {"request_rate": requests}, restarts)
    service.values["error_rate"] = _errors(rng, requests, restarts)
    service.values["db_query_p95"] = _slow(rng, load, restarts, rng.uniform(15, 120), night=_maybe(rng, 0.5))
    service.values["latency"] = _slow(rng, load, restarts, rng.uniform(30, 300), night=False)
    service.values["queue_length"] = rng.gamma(2.0, 1.0, minutes) * load * rng.uniform(1, 40)
    service.values["disk_used"] = _disk(rng, minutes)
    service.values["memory_used"] = _memory(rng, load, restarts)
    _lose(rng, service.values, minutes)
    return service


def _load(rng: np.random.Generator, minutes: int) -> Floats:
    """Return the load around 1: by day, quiet at weekends, and a slow wander."""
    at = np.arange(minutes)
    day = 1.0 + rng.uniform(0.2, 0.7) * np.sin(2 * np.pi * (at / MINUTES_A_DAY - rng.uniform(0.2, 0.5)))
    weekend = np.where(at // MINUTES_A_DAY % 7 >= 5, rng.uniform(0.4, 1.0), 1.0)  # noqa: PLR2004 - Saturday
    smooth = np.convolve(weekend, np.ones(240) / 240, mode="same")
    smooth[:240], smooth[-240:] = weekend[:240], weekend[-240:]
    wander = np.interp(at, np.arange(0, minutes + 360, 360), rng.lognormal(0, 0.06, minutes // 360 + 1))
    load: Floats = day * smooth * wander
    return load


def _maybe(rng: np.random.Generator, chance: float) -> bool:
    return bool(rng.random() < chance)


def _moments(rng: np.random.Generator, minutes: int, per_day: float) -> list[int]:
    number = rng.poisson(per_day * minutes / MINUTES_A_DAY)
    return sorted(int(each) for each in rng.integers(0, minutes, number))


def _errors(rng: np.random.Generator, requests: Floats, restarts: list[int]) -> Floats:
    minutes = len(requests)
    ratio = np.full(minutes, rng.uniform(0.0003, 0.004))
    ratio *= 1 + 0.5 * np.sin(2 * np.pi * np.arange(minutes) / MINUTES_A_DAY)
    for at in restarts:
        # one or two minutes in which some requests meet nobody
        ratio[at : at + rng.integers(1, 3)] = rng.uniform(0.01, 0.35)
    number = np.maximum(1, requests * 60).astype(np.int64)
    return rng.binomial(number, ratio) / number


def _slow(rng: np.random.Generator, load: Floats, restarts: list[int], base: float, *, night: bool) -> Floats:
    minutes = len(load)
    values = base * (0.7 + 0.3 * load) * rng.lognormal(0, 0.12, minutes)
    for at in restarts:
        cold = np.linspace(rng.uniform(1.5, 4.0), 1.0, WARM)[: minutes - at]
        values[at : at + WARM] *= cold
    if night:
        # a batch of half an hour
        begins, factor = int(rng.integers(60, 240)), rng.uniform(1.3, 2.2)
        of_day = np.arange(minutes) % MINUTES_A_DAY
        values[(of_day >= begins) & (of_day < begins + 30)] *= factor
    return values


def _disk(rng: np.random.Generator, minutes: int) -> Floats:
    at = np.arange(minutes)
    level = rng.uniform(25, 65) + rng.uniform(0, 0.4) * at / MINUTES_A_DAY
    # logs until they are rotated, each day or each week
    period = MINUTES_A_DAY * (7 if _maybe(rng, 0.3) else 1)
    level += rng.uniform(1, 6) * (at - int(rng.integers(0, period))) % period / period
    if _maybe(rng, 0.5):
        begins, length = int(rng.integers(0, 300)), int(rng.integers(30, 120))
        of_night = (at % MINUTES_A_DAY - begins) / length
        level += np.where((of_night >= 0) & (of_night < 1), rng.uniform(3, 15) * of_night, 0.0)
    return level + rng.normal(0, 0.05, minutes)


def _memory(rng: np.random.Generator, load: Floats, restarts: list[int]) -> Floats:
    minutes = len(load)
    base, cache = rng.uniform(20, 45), rng.uniform(5, 20)
    warm_up = rng.uniform(60, 600)
    at = np.arange(minutes)
    begun = np.zeros(minutes)
    for restart in restarts:
        begun[restart:] = restart
    age = at - begun + np.where(begun == 0, 5 * warm_up, 0)
    return base + cache * (1 - np.exp(-age / warm_up)) + rng.uniform(1, 6) * load + rng.normal(0, 0.4, minutes)


def _lose(rng: np.random.Generator, values: dict[str, Floats], minutes: int) -> None:
    """Lose single windows, and all series of an hour now and then."""
    for each in values.values():
        each[rng.random(minutes) < 0.002] = np.nan  # noqa: PLR2004
    for at in _moments(rng, minutes, per_day=0.05):
        for each in values.values():
            each[at : at + int(rng.integers(20, 120))] = np.nan
