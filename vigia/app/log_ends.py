"""Where the log of each partition begins and ends: one request for all, about a millisecond, from any thread."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from vigia.stores.errors import Transient

ANSWER_SECONDS = 10.0
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]

Partition = tuple[str, int]


class LogEnds:
    """Asks with a client of its own; `prefix` goes before every topic's name."""

    def __init__(self, connection: Mapping[str, Any], prefix: str = "", within: float = ANSWER_SECONDS) -> None:
        self._admin = AdminClient({**connection, "log_level": 0})
        self._prefix = prefix
        self._within = within

    def read(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the next offset to be written, of what is committed; raises Transient without an answer in time."""
        return self._read(partitions, LATEST)

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the first offset that is still kept; raises Transient without an answer in time."""
        return self._read(partitions, EARLIEST)

    def _read(self, partitions: Iterable[Partition], which: OffsetSpec) -> dict[Partition, int]:
        wanted = {TopicPartition(self._prefix + topic, number): (topic, number) for topic, number in partitions}
        if not wanted:
            return {}
        try:
            answers = self._admin.list_offsets(
                dict.fromkeys(wanted, which),
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=self._within,
            )
            ends = {(each.topic, each.partition): answer.result().offset for each, answer in answers.items()}
        except KafkaException as error:
            raise Transient(f"the broker does not tell where its logs begin and end: {error}") from error
        return {ours: ends[each.topic, each.partition] for each, ours in wanted.items()}
