"""The job: one-minute windows (count, sum, least, largest) of 1,000 series over 20 minutes of event time.

The input lies in a topic before anybody starts: single samples of about 118 bytes, or 100 points a message, keyed by
service; at the end one sample of an hour later for each partition, so that every window closes.
"""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # it is there

from vigia.streaming.partitions import partition_of

PARTITIONS = 4
METRICS = ("error_rate", "latency", "cpu_load", "rps_total", "memory")
WINDOWS = 20
FIRST = 1_700_000_040
"""Event time of the first sample in epoch seconds, the beginning of a window."""
CLOSING = "closing"
"""How services begin whose samples only close windows."""
LATER = 3_600
"""Seconds from the last window to the samples that close it."""


@dataclass(frozen=True, slots=True)
class Input:
    """A filled topic. `samples` is what every contender has to count, the closing ones among them."""

    bootstrap: str
    topic: str
    samples: int
    points: int
    bytes: int

    def environment(self) -> dict[str, str]:
        """What a contender's process is told."""
        return {"BENCH_BOOTSTRAP": self.bootstrap, "BENCH_TOPIC": self.topic, "BENCH_SAMPLES": str(self.samples)}


def fill(
    bootstrap: str,
    topic: str,
    samples: int,
    points: int = 1,
    series: int = 1_000,
    windows: int = WINDOWS,
    metrics: Sequence[str] = METRICS,
) -> Input:
    """Send the input to `topic`, which has `PARTITIONS` partitions; sample k belongs to series k modulo `series`. Each
    service has a series of each of `metrics`.
    """
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 2_000_000,
            "acks": "all",
        }
    )
    services = series // len(metrics)
    names = [f"svc{number}" for number in range(services)]
    places = [partition_of(name.encode(), PARTITIONS) for name in names]
    waiting: dict[int, list[str]] = {}
    size = 0

    def send(place: int, name: str, body: str) -> None:
        nonlocal size
        size += len(body)
        while True:
            try:
                producer.produce(topic, body, name, place)
                return
            except BufferError:
                producer.poll(0.1)

    for number in range(samples):
        one = number % series
        name, metric = names[one % services], metrics[one // services]
        at, value = FIRST + number * (windows * 60) / samples, (number * 7919) % 1000 / 1000
        if points == 1:
            send(places[one % services], name, _single(name, metric, at, value))
        else:
            waiting.setdefault(one, []).append(f"[{at:.3f},{value}]")
            if len(waiting[one]) == points:
                send(places[one % services], name, _packed(name, metric, waiting.pop(one)))
        if number % 10_000 == 0:
            producer.poll(0)
    for one, values in waiting.items():
        send(
            places[one % services],
            names[one % services],
            _packed(names[one % services], metrics[one // services], values),
        )
    for name in closing_services():
        place = partition_of(name.encode(), PARTITIONS)
        send(place, name, _single(name, metrics[0], FIRST + windows * 60 + LATER, 0.0))
    producer.flush()
    return Input(bootstrap, topic, samples + PARTITIONS, points, size)


def closing_services() -> list[str]:
    """Return one service a partition."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        name = f"{CLOSING}{number}"
        found.setdefault(partition_of(name.encode(), PARTITIONS), name)
        number += 1
    return sorted(found.values())


def _single(service: str, metric: str, at: float, value: float) -> str:
    return f'{{{_head(service, metric)},"ts":{at:.3f},"value":{value}}}'


def _packed(service: str, metric: str, points: list[str]) -> str:
    return f'{{{_head(service, metric)},"points":[{",".join(points)}]}}'


def _head(service: str, metric: str) -> str:
    return f'"service":"{service}","environment":"production","metric":"{metric}","unit":"1"'


@contextmanager
def results_topic(bootstrap: str) -> Iterator[str]:
    """Give a topic for what a peer sends, gone afterwards with the topics that the peer has made beside it."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topic = f"vigia-bench-out-{uuid.uuid4().hex[:8]}"
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    try:
        yield topic
    finally:
        made = [name for name in admin.list_topics(timeout=30).topics if topic in name]
        for future in admin.delete_topics(made).values():
            future.result()


def counted_in(bootstrap: str, topic: str, wanted: int, patience: float = 15.0) -> int:
    """Return the sum of `count` over the windows in a results topic; waits a while until it is `wanted`."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "enable.auto.commit": False})
    total, end = 0, time.monotonic() + patience
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        while total < wanted and time.monotonic() < end:
            for message in consumer.consume(10_000, 0.5):
                body = message.value()
                if body and not message.error():
                    row = json.loads(body)
                    total += 0 if row["service"].startswith(CLOSING) else int(row["count"])
        return total
    finally:
        consumer.close()
