"""The one way from the feeds to the broker: counts what was acknowledged, and never runs ahead of the consumers.

The embedded broker keeps about 5 MB a partition and drops what is older without a word, so a sender that outruns the
worker loses events. A `Sender` therefore knows what of its own lies unconsumed in each partition, and waits.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol

import msgspec

from vigia.events.base import Event

MAX_RECORDS = 2_000
"""Most records of ours that lie unconsumed in one partition."""

MAX_BYTES = 2_000_000
"""Most bytes of ours that lie unconsumed in one partition: well below what the embedded broker keeps."""

POLL_SECONDS = 0.02
POSITIONS_SECONDS = 0.05
"""Least time between two looks at the consumers' positions, which cost a query."""

PRODUCER_SETTINGS: Mapping[str, str | int | bool] = {
    "acks": "all",
    "enable.idempotence": True,
    # Java's hash, by which lanes check that a record is in its key's partition
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    "message.timeout.ms": 30_000,
}
"""What a feed's producer is made with, beside its connection."""

Partition = tuple[str, int]
Positions = Callable[[], Mapping[Partition, int]]
"""Returns the next offset to be consumed per (topic, partition); a partition that is absent has consumed nothing."""

Pause = Callable[[float], bool]
"""Waits for so many seconds; returns True when the feeds shall end."""


class FeedStopped(Exception):
    """The feeds are asked to end; what was sent so far stays counted."""


class DeliveryFailed(Exception):
    """The broker did not take a record, or did not answer in time."""


class Producer(Protocol):
    """What is used of confluent_kafka.Producer."""

    def produce(self, topic: str, value: bytes, key: bytes, *, on_delivery: Callable[[Any, Any], None]) -> None: ...

    def poll(self, timeout: float) -> int: ...

    def flush(self, timeout: float) -> int: ...


class _Waiting(NamedTuple):
    """A record that its consumer has not passed."""

    offset: int
    size: int


class Sender:
    """Sends events, from any number of threads.

    `physical` gives a topic's name on the broker. Every figure counts events, and a packed sample as its points.
    """

    def __init__(
        self,
        producer: Producer,
        positions: Positions,
        pause: Pause,
        *,
        physical: Callable[[str], str] = str,
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._producer = producer
        self._positions = positions
        self._pause = pause
        self._physical = physical
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._sent: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._in_flight_bytes = 0
        self._waiting: dict[Partition, deque[_Waiting]] = defaultdict(deque)
        self._waiting_bytes: Counter[Partition] = Counter()
        self._looked_at = float("-inf")
        self._failures: list[str] = []

    @property
    def sent(self) -> dict[str, int]:
        """Events that the broker has acknowledged, per topic."""
        with self._lock:
            return dict(self._sent)

    @property
    def failures(self) -> int:
        """Records that the broker did not take."""
        with self._lock:
            return len(self._failures)

    def send(self, topic: str, key: str, event: Event | Sequence[Event]) -> None:
        """Send one event, or several as one record; waits while the consumers are behind.

        Raises FeedStopped when asked to end while waiting, DeliveryFailed when an earlier record was not taken.
        """
        events = event if isinstance(event, Sequence) else [event]
        value = msgspec.json.encode(event)
        self._wait_until(self._has_room)
        weight = sum(each.weight for each in events)
        with self._lock:
            self._in_flight[topic] += 1
            self._in_flight_bytes += len(value)
        report = self._report(topic, weight, len(value))
        while True:
            try:
                self._producer.produce(self._physical(topic), value, key.encode(), on_delivery=report)
                break
            except BufferError:
                self._wait()
        self._producer.poll(0)

    def wait_until_consumed(self, topic: str) -> None:
        """Return once the consumers have passed all that was sent to `topic`; raises as `send` does."""
        self._wait_until(lambda: self._is_consumed(topic))

    def flush(self, timeout: float) -> None:
        """Return once every record is acknowledged; raises DeliveryFailed when `timeout` (seconds) was not enough."""
        left = self._producer.flush(timeout)
        self._raise_failures()
        if left:
            raise DeliveryFailed(f"the broker has not acknowledged {left} records within {timeout:g} s")

    def _report(self, topic: str, weight: int, size: int) -> Callable[[Any, Any], None]:
        def on_delivery(error: Any, message: Any) -> None:
            with self._lock:
                self._in_flight[topic] -= 1
                self._in_flight_bytes -= size
                if error is not None:
                    self._failures.append(f"{topic}: {error}")
                    return
                self._sent[topic] += weight
                partition = topic, message.partition()
                self._waiting[partition].append(_Waiting(message.offset(), size))
                self._waiting_bytes[partition] += size

        return on_delivery

    def _wait_until(self, satisfied: Callable[[], bool]) -> None:
        self._raise_failures()
        while not satisfied():
            self._wait()
            self._raise_failures()
            # one look at the database serves all threads
            if time.monotonic() - self._looked_at >= POSITIONS_SECONDS:
                self._looked_at = time.monotonic()
                self._forget_consumed(self._positions())

    def _wait(self) -> None:
        self._producer.poll(0)
        if self._pause(POLL_SECONDS):
            raise FeedStopped

    def _has_room(self) -> bool:
        """Whether no partition can be over its limit, even if all that is under way ends up in the fullest one."""
        with self._lock:
            records = sum(self._in_flight.values()) + max(map(len, self._waiting.values()), default=0)
            size = self._in_flight_bytes + max(self._waiting_bytes.values(), default=0)
        return records < self._max_records and size < self._max_bytes

    def _is_consumed(self, topic: str) -> bool:
        with self._lock:
            waiting = any(records for (name, _), records in self._waiting.items() if name == topic)
            return not waiting and not self._in_flight[topic]

    def _forget_consumed(self, positions: Mapping[Partition, int]) -> None:
        with self._lock:
            for partition, waiting in self._waiting.items():
                for record in _passed(waiting, positions.get(partition, 0)):
                    self._waiting_bytes[partition] -= record.size

    def _raise_failures(self) -> None:
        with self._lock:
            failures = list(self._failures)
        if failures:
            raise DeliveryFailed(f"the broker did not take {len(failures)} records; the first: {failures[0]}")


def _passed(waiting: deque[_Waiting], position: int) -> Iterator[_Waiting]:
    """Take from the left what lies below `position`."""
    while waiting and waiting[0].offset < position:
        yield waiting.popleft()
