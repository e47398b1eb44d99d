"""A backlog of samples that no worker can apply yet: half of them one a message, half packed, and what they come to."""

import math
import random
from collections.abc import Mapping

from confluent_kafka import Producer

from tests.faults.load import WINDOW, Expected
from vigia.events.samples import Sample, series_of

SERVICES, METRICS = 100, 5
PACKED = 50
"""Samples in a packed message."""

PACE = 0.0006
"""Seconds of event time from one sample to the next: two million take twenty windows."""


class Backlog:
    """Sends samples of services of its own, from a seed, and adds to `expected` what must come of them."""

    def __init__(self, seed: int, env: Mapping[str, str], start: float, expected: Expected) -> None:
        self._random = random.Random(seed)
        self._topic = env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics"
        self._expected = expected
        self._at = start
        self._series = []
        for number in range(SERVICES * METRICS):
            service, metric = f"bulk-{number % SERVICES}", f"metric-{number // SERVICES}"
            series = series_of(Sample(service=service, metric=metric, ts=start, value=0.0)).series_id
            self._series.append((service, metric, series))
        self._producer = Producer(
            {
                "bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"],
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 20,
                "queue.buffering.max.messages": 2_000_000,
                "log_level": 0,
            }
        )

    def send(self, samples: int) -> None:
        """Send so many samples, and return when the broker has them; `samples` is a multiple of 2 * PACKED."""
        rounds, rest = divmod(samples, 2 * PACKED)
        assert not rest, samples
        for _ in range(rounds):
            for _ in range(PACKED):
                service, metric, ts, value = self._sample()
                self._produce(service, f'{{"service":"{service}","metric":"{metric}","ts":{ts},"value":{value}}}')
            service, metric, _ = series = self._random.choice(self._series)
            points = ",".join("[{},{}]".format(*self._sample(series)[2:]) for _ in range(PACKED))
            self._produce(service, f'{{"service":"{service}","metric":"{metric}","points":[{points}]}}')
        assert self._producer.flush(60) == 0, "not all of the backlog was delivered"

    def _sample(self, series: tuple[str, str, str] | None = None) -> tuple[str, str, float, float]:
        service, metric, series_id = series or self._random.choice(self._series)
        self._at += PACE
        ts, value = round(self._at, 3), round(100 * self._random.random(), 3)
        self._expected.windows[series_id, math.floor(ts / WINDOW) * WINDOW].append(value)
        self._expected.samples += 1
        return service, metric, ts, value

    def _produce(self, key: str, value: str) -> None:
        self._producer.produce(self._topic, value, key)
        self._producer.poll(0)
