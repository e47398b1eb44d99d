"""A broker in lists: partitions that records are appended to and read from."""

from collections import defaultdict
from collections.abc import Sequence

from vigia.stores.base import OutboxRow, RawRecord
from vigia.streaming.batches import TICK_HEADER
from vigia.streaming.partitions import partition_of

Headers = tuple[tuple[str, bytes], ...]


class MemoryBroker:
    """All topics have the same number of partitions. `published` is what was sent to topics that nobody reads here."""

    def __init__(self, inputs: Sequence[str], partitions: int) -> None:
        self.inputs = tuple(inputs)
        self.partitions = partitions
        self.logs: dict[tuple[str, int], list[RawRecord]] = {
            (topic, number): [] for topic in inputs for number in range(partitions)
        }
        self.starts: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.published: list[OutboxRow] = []
        self.ticks: list[tuple[str, int]] = []

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        at: float,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers = (),
        skip: int = 0,
    ) -> RawRecord:
        """Append a record at Kafka time `at` (epoch seconds), after leaving out `skip` offsets."""
        if partition is None:
            partition = partition_of(key or b"", self.partitions)
        offset = self.end(topic, partition) + skip
        record = RawRecord(topic, partition, offset, round(at * 1000), key, value, headers)
        self.logs[topic, partition].append(record)
        return record

    def publish(self, rows: Sequence[OutboxRow], at: float) -> None:
        """Append outputs: to the inputs if they are one, else to `published`."""
        for row in rows:
            if row.topic in self.inputs:
                self.append(row.topic, row.value, at=at, key=row.key, partition=row.partition, headers=row.headers)
            else:
                self.published.append(row)

    def tick(self, topic: str, partition: int, at: float) -> None:
        """Append a tick."""
        self.ticks.append((topic, partition))
        self.append(topic, b"", at=at, partition=partition, headers=((TICK_HEADER, b"1"),))

    def end(self, topic: str, partition: int) -> int:
        """The offset that the next record gets."""
        log = self.logs[topic, partition]
        return log[-1].offset + 1 if log else self.starts[topic, partition]

    def fetch(self, topic: str, partition: int, offset: int, limit: int) -> list[RawRecord]:
        """Return up to `limit` records from `offset` on."""
        return [record for record in self.logs[topic, partition] if record.offset >= offset][:limit]

    def outputs(self) -> set[tuple[str, bytes, bytes]]:
        """What was published, however often."""
        return {(row.topic, row.key, row.value) for row in self.published}
