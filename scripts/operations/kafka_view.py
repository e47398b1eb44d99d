"""What the broker says of an agent's topics, by their names without the prefix."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from vigia.app.broker import identify, topic_ids
from vigia.app.log_ends import LogEnds
from vigia.settings import KafkaSettings

Partition = tuple[str, int]


class Log(NamedTuple):
    """The first offset that a partition still has, and the next it will give."""

    start: int
    end: int


class Kafka(Protocol):
    """What is asked of the broker; each call raises Transient when it does not answer."""

    def cluster_id(self) -> str:
        """Return the cluster's id."""

    def logs(self, partitions: Iterable[Partition]) -> Mapping[Partition, Log]:
        """Return where the log of each (topic, partition) begins and ends."""

    def topic_ids(self, topics: Iterable[str]) -> Mapping[str, str]:
        """Return the ids of topics; none of those that are not there."""


class KafkaView:
    """Implements `Kafka` for the broker in the settings."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._ends = LogEnds(kafka.confluent_config(), kafka.topic_prefix, kafka.request_timeout)

    def cluster_id(self) -> str:
        return asyncio.run(identify(self._kafka, self._kafka.request_timeout)).cluster_id

    def logs(self, partitions: Iterable[Partition]) -> dict[Partition, Log]:
        wanted = list(partitions)
        starts, ends = self._ends.starts(wanted), self._ends.read(wanted)
        return {each: Log(starts[each], ends[each]) for each in wanted}

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        names = {self._kafka.physical(topic): topic for topic in topics}
        found = asyncio.run(topic_ids(self._kafka, list(names)))
        return {names[name]: topic_id for name, topic_id in found.items()}
