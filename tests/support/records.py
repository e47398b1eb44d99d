"""Records in and out of a test's topics, by their names in `vigia/topics.py`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self, cast

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

Headers = Sequence[tuple[str, bytes | None]]


class Sent:
    """A record that was sent; its place is known once it is delivered (`Sender.flush`)."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.partition = -1
        self.offset = -1
        self.error: object = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.topic, self.partition, self.offset


class Sender:
    """A producer with Java's partitioner, as most senders have it; use it as a context manager."""

    def __init__(self, env: Mapping[str, str], **config: Any) -> None:
        self._prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
        self._sent: list[Sent] = []
        self._producer = Producer(
            {
                "bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"],
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "queue.buffering.max.messages": 2_000_000,
                "message.max.bytes": 2_000_000,
                "log_level": 0,
                **{name.replace("_", "."): value for name, value in config.items()},
            }
        )

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
    ) -> Sent:
        """Hand one record over; without `partition`, the key decides."""
        sent = Sent(topic)

        def delivered(error: object, message: Any) -> None:
            sent.error = error
            if error is None:
                sent.partition, sent.offset = message.partition(), message.offset()

        self._producer.produce(
            self._prefix + topic,
            value,
            key,
            partition=-1 if partition is None else partition,
            headers=list(headers),
            on_delivery=delivered,
        )
        self._producer.poll(0)
        self._sent.append(sent)
        return sent

    def flush(self, timeout: float = 60.0) -> None:
        """Wait until everything is delivered; fails when something was not."""
        left = self._producer.flush(timeout)
        failed = [sent.error for sent in self._sent if sent.error is not None]
        self._sent.clear()
        assert not left, f"{left} records were not delivered within {timeout:.0f} s"
        assert not failed, f"{len(failed)} records were not delivered: {failed[0]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.flush()


class Received(NamedTuple):
    """A record as it lies on the broker."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def read_topic(env: Mapping[str, str], topic: str, timeout: float = 30.0) -> list[Received]:
    """Return all records that a topic holds now, by partition and offset."""
    return list(topic_records(env, topic, timeout))


def topic_records(
    env: Mapping[str, str], topic: str, timeout: float = 30.0, begin: Mapping[int, int] | None = None
) -> Iterator[Received]:
    """Give all records that a topic holds now, by partition and offset, without keeping them.

    `begin` has the offset to begin at by partition; where it has none, the topic's first record comes first.
    """
    first = begin or {}
    prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
    consumer = Consumer(
        {
            "bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"],
            "group.id": prefix + "reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    try:
        partitions = consumer.list_topics(prefix + topic, timeout=timeout).topics[prefix + topic].partitions
        for number in sorted(partitions):
            at = TopicPartition(prefix + topic, number, 0)
            low, high = consumer.get_watermark_offsets(at, timeout=timeout)
            at.offset = max(low, first.get(number, low))
            if at.offset >= high:
                continue
            consumer.assign([at])
            yield from _until_end(consumer, topic, high, timeout)
    finally:
        consumer.close()


def _until_end(consumer: Consumer, topic: str, end: int, timeout: float) -> Iterator[Received]:
    while True:
        message = consumer.poll(timeout)
        assert message is not None, f"{topic} gave nothing for {timeout:.0f} s before offset {end}"
        error = message.error()
        if error is not None:
            # markers of transactions may fill the end of a partition
            if error.name() == "_PARTITION_EOF":
                return
            raise KafkaException(error)
        yield Received(
            topic,
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            message.key(),
            message.value(),
            tuple(cast("list[tuple[str, bytes | None]]", message.headers() or [])),
        )
        if (message.offset() or 0) + 1 >= end:
            return
