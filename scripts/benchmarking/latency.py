"""Latency at a light load: from producing an event to receiving what came of it, as another program would see both.

`risk`: a deployment event to its risk record. `approvals`: the sample that closes a bad window to the proposal.
"""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

WINDOW = 60
LATENESS = 5
ARRIVES_WITHIN = 30.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds from produce to receipt."""

    what: str
    n: int
    p50: float
    p95: float
    p99: float
    worst: float


def measure(env: Mapping[str, str], n: int, per_second: float) -> list[Latency]:
    """Measure both latencies with `n` events each, `per_second` of them at a time."""
    producer = Producer(
        {"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "partitioner": "murmur2_random", "linger.ms": 0}
    )
    prefix = env.get("VIGIA_KAFKA_TOPIC_PREFIX", "")

    def deployment(number: int) -> str:
        scope = f"team-{number % 8}"
        event = {
            "source": "bench",
            "external_id": str(number),
            "service": f"s{number % 20}",
            "scope": scope,
            "stage": "planned",
            "at": time.time(),
            "features": {"la": number % 300, "nf": number % 9},
        }
        producer.produce(prefix + "deployments", json.dumps(event), key=scope)
        return str(number)

    def bad_window(number: int) -> str:
        service, start = f"bad-{number}", int(time.time()) // WINDOW * WINDOW - 2 * WINDOW
        for ts in (*range(start, start + WINDOW, 10), start + WINDOW + LATENESS + 1):
            sample = {"service": service, "metric": "error_rate", "ts": ts, "value": 0.5}
            producer.produce(prefix + "metrics", json.dumps(sample), key=service)
        return service

    results = []
    for topic, send, cause in (("risk", deployment, "external_id"), ("approvals", bad_window, "service")):
        with _receiving(env, prefix + topic, cause) as received:
            for number in range(20):  # warm up: caches, connections, first metadata
                send(-1 - number)
                producer.flush()
            time.sleep(2)
            results.append(_measure(topic, n, per_second, send, producer, received))
    return results


def _measure(
    what: str, n: int, per_second: float, send: Callable[[int], str], producer: Producer, received: dict[str, float]
) -> Latency:
    sent: dict[str, float] = {}
    for number in range(n):
        started = time.perf_counter()
        sent[send(number)] = started
        producer.poll(0)
        time.sleep(max(0.0, 1 / per_second - (time.perf_counter() - started)))
    producer.flush()
    end = time.perf_counter() + ARRIVES_WITHIN
    while not sent.keys() <= received.keys():
        if time.perf_counter() > end:
            raise SystemExit(f"{len(sent.keys() - received.keys())} of {n} did not arrive on {what}")
        time.sleep(0.05)
    took = sorted(1000 * (received[cause] - sent[cause]) for cause in sent)
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return Latency(what, n, cuts[49], cuts[94], cuts[98], took[-1])


@contextmanager
def _receiving(env: Mapping[str, str], topic: str, cause: str) -> Iterator[dict[str, float]]:
    """Receive a topic in a thread; gives the time of receipt for each cause, the first one counts."""
    received: dict[str, float] = {}
    stop = threading.Event()

    async def receive() -> None:
        # the embedded broker does not wake a fetch that waits, and librdkafka asks it too seldom
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=env["VIGIA_KAFKA_BOOTSTRAP"], auto_offset_reset="earliest", fetch_max_wait_ms=5
        )
        await consumer.start()
        while not stop.is_set():
            for records in (await consumer.getmany(timeout_ms=100)).values():
                now = time.perf_counter()
                for record in records:
                    received.setdefault(str(json.loads(record.value or b"{}")[cause]), now)
        await consumer.stop()

    thread = threading.Thread(target=lambda: asyncio.run(receive()), name=f"receive {topic}")
    thread.start()
    try:
        yield received
    finally:
        stop.set()
        thread.join()
