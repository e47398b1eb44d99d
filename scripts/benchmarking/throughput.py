"""How many samples a second the metrics agent takes, with everything on: a backlog is made, then one worker started."""

import time
from collections.abc import Callable, Mapping

from confluent_kafka import Producer

from scripts.benchmarking.place import worker
from vigia.app import open_stores
from vigia.settings import load

METRICS = ("error_rate", "latency", "cpu_load", "rps_total", "memory")
SERVICES = 200
WINDOWS = 20
FIRST = 1_700_000_040.0
"""Event time of the first sample; a multiple of 60."""
GIVE_UP = 300.0


def fill(env: Mapping[str, str], samples: int, points: int) -> None:
    """Send `samples` samples, `points` in a message, 200 services x 5 metrics over 20 one-minute windows."""
    producer = Producer(
        {
            "bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"],
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "queue.buffering.max.messages": 2_000_000,
        }
    )
    topic = env.get("VIGIA_KAFKA_TOPIC_PREFIX", "") + "metrics"
    pending: dict[tuple[str, str], list[str]] = {}
    for number in range(samples):
        series = number % (SERVICES * len(METRICS))
        service, metric = f"svc{series % SERVICES}", METRICS[series // SERVICES]
        ts, value = FIRST + number * (WINDOWS * 60) / samples, number % 1000 / 1000
        if points == 1:
            body = f'{{"service":"{service}","metric":"{metric}","unit":"1","ts":{ts:.3f},"value":{value}}}'
        else:
            points_of = pending.setdefault((service, metric), [])
            points_of.append(f"[{ts:.3f},{value}]")
            if len(points_of) < points:
                continue
            body = f'{{"service":"{service}","metric":"{metric}","unit":"1","points":[{",".join(points_of)}]}}'
            points_of.clear()
        producer.produce(topic, body, key=service)
        if number % 1000 == 0:
            producer.poll(0)
    for (service, metric), points_of in pending.items():
        if points_of:
            body = f'{{"service":"{service}","metric":"{metric}","unit":"1","points":[{",".join(points_of)}]}}'
            producer.produce(topic, body, key=service)
    producer.flush()


def measure(env: Mapping[str, str], samples: int, points: int) -> float:
    """Return samples/s from the first applied step to the last."""
    fill(env, samples, points)
    stores = open_stores(load(env))

    def applied() -> int:
        return sum(row.counts.get("metrics.applied", 0) for row in stores.summaries.lanes())

    try:
        with worker(env):
            _until(lambda: applied() > 0)
            started, before = time.perf_counter(), applied()
            _until(lambda: applied() >= samples)
            return (samples - before) / (time.perf_counter() - started)
    finally:
        stores.close()


def _until(condition: Callable[[], bool]) -> None:
    end = time.perf_counter() + GIVE_UP
    while not condition():
        if time.perf_counter() > end:
            raise SystemExit("the worker did not get through the backlog in time")
        time.sleep(0.02)
