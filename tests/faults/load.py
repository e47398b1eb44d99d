"""The load of the fault tests: what is sent, and what must have come of it, recomputed plainly from the input."""

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.records import Sender
from vigia.events.samples import Sample, series_of

DETECTORS = Path(__file__).with_name("detectors.toml")
"""Limits under which each bad minute of the load is a problem of its own."""
WINDOW = 60
PACE = 0.05
"""Seconds of event time from one message to the next."""
SERVICES = [f"service-{number}" for number in range(40)]
FAILING = SERVICES[:4]
"""Services whose error rate rises and falls."""
SCOPES = [f"team-{number}" for number in range(12)]

WindowKey = tuple[str, int]


@dataclass
class Expected:
    """What the sent events must come to."""

    windows: dict[WindowKey, list[float]] = field(default_factory=lambda: defaultdict(list))
    """(series id, start) -> the values, in no order."""
    samples: int = 0
    deployments: set[str] = field(default_factory=set)
    """External ids."""
    outcomes: int = 0

    def totals(self) -> dict[WindowKey, tuple[int, float, float, float]]:
        """Count, sum, minimum and maximum of every window."""
        return {key: (len(values), math.fsum(values), min(values), max(values)) for key, values in self.windows.items()}


class Load:
    """Random events from a seed: samples (one a message, packed, and as arrays), deployments and their outcomes."""

    def __init__(self, seed: int, now: float) -> None:
        self._random = random.Random(seed)
        self._start = now - 6 * 3600
        self._sent = 0
        self.expected = Expected()

    def send(self, sender: Sender, messages: int) -> None:
        """Send so many messages."""
        for topic, key, event in self._events(messages):
            sender.send(topic, json.dumps(event).encode(), key=key.encode())

    def _events(self, messages: int) -> Iterator[tuple[str, str, Any]]:
        rnd = self._random
        for _ in range(messages):
            self._sent += 1
            kind = rnd.random()
            if kind < 0.02:
                yield self._deployment()
            elif kind < 0.05:
                yield "metrics", *self._packed()
            elif kind < 0.15:
                service = rnd.choice(FAILING)
                yield "metrics", service, self._sample(service, "error_rate")
            else:
                service = rnd.choice(SERVICES)
                yield "metrics", service, self._sample(service, f"metric-{rnd.randrange(3)}")

    def _sample(self, service: str, metric: str) -> dict[str, Any]:
        rnd = self._random
        # event time goes on with the load, some samples are late, a few very late
        ahead = self._start + self._sent * PACE
        ts = round(ahead - (rnd.expovariate(1 / 20.0) if rnd.random() < 0.3 else 0.0), 3)
        value = round(rnd.uniform(0, 100), 4)
        if metric == "error_rate":
            # a bad minute, then four good ones: each bad one is a problem that is resolved again
            value = round(rnd.uniform(0.1, 0.4) if ts // WINDOW % 5 == 0 else rnd.uniform(0, 0.004), 4)
        self._expect(Sample(service=service, metric=metric, ts=ts, value=value), ts, value)
        return {"service": service, "metric": metric, "ts": ts, "value": value}

    def _packed(self) -> tuple[str, dict[str, Any]]:
        service = self._random.choice(SERVICES)
        singles = [self._sample(service, "packed") for _ in range(self._random.randint(1, 50))]
        points = [[one["ts"], one["value"]] for one in singles]
        return service, {"service": service, "metric": "packed", "points": points}

    def _expect(self, sample: Sample, ts: float, value: float) -> None:
        self.expected.windows[series_of(sample).series_id, int(ts // WINDOW) * WINDOW].append(value)
        self.expected.samples += 1

    def _deployment(self) -> tuple[str, str, dict[str, Any]]:
        rnd = self._random
        external = f"d{self._sent}"
        scope, at = rnd.choice(SCOPES), self._start + self._sent * PACE
        about = {"source": "faults", "external_id": external, "scope": scope, "at": at}
        if self.expected.deployments and rnd.random() < 0.3:
            self.expected.outcomes += 1
            # of a deployment that may be in another scope or not known yet: it is applied or waits, and counts once
            label = {"label": "intervention", "failed": rnd.random() < 0.2}
            return "feedback", scope, {"type": "deployment.outcome", **about, **label}
        self.expected.deployments.add(external)
        features = {"la": float(rnd.randrange(500)), "nf": float(rnd.randrange(20))}
        return (
            "deployments",
            scope,
            {**about, "service": rnd.choice(SERVICES), "stage": "planned", "features": features},
        )
