"""What a repartition asks of the broker, and does there: it adds partitions, and nothing else."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports them without saying so
    AdminClient,
    NewPartitions,
)

from scripts.operations.kafka_view import Kafka, KafkaView, Partition
from vigia.settings import KafkaSettings
from vigia.stores.errors import Transient, Unusable
from vigia.streaming.batches import TICK_HEADER

LOOK_EVERY = 0.2


class GrowingKafka(Kafka, Protocol):
    """The broker, as a repartition sees it; each call raises Transient when it does not answer."""

    def counts(self, topics: Iterable[str]) -> Mapping[str, int]:
        """Return the number of partitions of each topic that is there."""

    def has_records(self, places: Mapping[Partition, int]) -> set[Partition]:
        """Return those (topic, partition) that hold a record at or behind the offset given.

        A log may end behind its last record: with the mark of a transaction, or what one has taken back. Ticks do not
        count: a worker sends one as it starts, even if it then refuses to, and a tick waits for nothing.
        """

    def grow(self, topics: Iterable[str], count: int, *, only_ask: bool = False) -> None:
        """Let these topics have `count` partitions, and wait until each has a leader; raises Unusable when refused."""


class GrowingView(KafkaView):
    """Implements `GrowingKafka` for the broker in the settings."""

    def __init__(self, kafka: KafkaSettings) -> None:
        super().__init__(kafka)
        self._settings = kafka
        self._within = kafka.request_timeout
        self._admin = AdminClient({**kafka.confluent_config(), "log_level": 0})

    def counts(self, topics: Iterable[str]) -> dict[str, int]:
        found = self._metadata()
        names = {self._settings.physical(topic): topic for topic in topics}
        return {names[name]: len(found[name].partitions) for name in names if name in found}

    def has_records(self, places: Mapping[Partition, int]) -> set[Partition]:
        if not places:
            return set()
        names = {(self._settings.physical(topic), number): (topic, number) for topic, number in places}
        config: dict[str, Any] = {
            **self._settings.confluent_config(),
            "group.id": f"{self._settings.group}-repartition",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
        consumer = Consumer(config)
        try:
            consumer.assign([TopicPartition(*name, places[ours]) for name, ours in names.items()])
            return {names[each] for each in _with_records(consumer, set(names), self._within)}
        except KafkaException as error:
            raise Transient(f"the ends of logs cannot be read: {error}") from error
        finally:
            consumer.close()

    def grow(self, topics: Iterable[str], count: int, *, only_ask: bool = False) -> None:
        names = [self._settings.physical(topic) for topic in topics]
        if not names:
            return
        asked = self._admin.create_partitions(
            [NewPartitions(name, count) for name in names],
            request_timeout=self._within,
            operation_timeout=self._within,
            validate_only=only_ask,
        )
        for name, answer in asked.items():
            try:
                answer.result()
            except KafkaException as error:
                raise _meaning(name, error) from error
        if not only_ask:
            self._wait_for_leaders(names, count)

    def _wait_for_leaders(self, names: list[str], count: int) -> None:
        deadline = time.monotonic() + self._within
        while True:
            found = self._metadata()
            led = [sum(each.leader >= 0 for each in found[name].partitions.values()) for name in names]
            if all(number >= count for number in led):
                return
            if time.monotonic() > deadline:
                raise Transient(f"partitions were added but have no leaders after {self._within:g} s: run it again")
            time.sleep(LOOK_EVERY)

    def _metadata(self) -> dict[str, Any]:
        try:
            return dict(self._admin.list_topics(timeout=self._within).topics)
        except KafkaException as error:
            raise Transient(f"the broker does not tell its topics: {error}") from error


def _with_records(consumer: Consumer, open_: set[Partition], within: float) -> set[Partition]:
    """Return those of the partitions that give a record before they say that there is none."""
    found = set()
    deadline = time.monotonic() + within
    while open_:
        message = consumer.poll(max(0.0, deadline - time.monotonic()))
        if message is None:
            if time.monotonic() >= deadline:
                raise Transient(f"the broker did not give what {sorted(open_)} hold within {within:g} s")
            continue
        place = str(message.topic()), int(message.partition() or 0)
        error = message.error()
        if error is None:
            if _is_tick(message):
                continue
            found.add(place)
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own, public under this name
            raise KafkaException(error)
        open_.discard(place)
    return found


def _is_tick(message: Message) -> bool:
    headers: Any = message.headers() or ()
    return not message.value() and any(name == TICK_HEADER for name, _ in headers)


def _meaning(name: str, error: KafkaException) -> Exception:
    cause = error.args[0]
    if cause.retriable():
        return Transient(f"partitions of {name} were not added: {cause.str()}")
    return Unusable(f"the broker refuses more partitions for {name}: {cause.str()}")
