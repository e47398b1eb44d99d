"""The raw log in a dict."""

from collections.abc import Iterator
from typing import Any

from vigia.stores.base import RawBatch, RawEntry, RawRecord

Place = tuple[str, str, int, int]
"""Cluster id, topic, partition, offset."""


class MemoryRawLog:
    """Implements `vigia.stores.base.RawLog`; keeps each record once under its place."""

    def __init__(self) -> None:
        self.records: dict[Place, RawRecord] = {}
        self.entries: dict[tuple[Place, int], RawEntry] = {}
        self.appended: list[RawBatch] = []

    def check(self) -> list[str]:
        return []

    def migrate(self) -> None:
        """There is no schema."""

    def append(self, batch: RawBatch) -> None:
        self.appended.append(batch)
        for record in batch.records:
            place = (batch.cluster_id, batch.topic, batch.partition, record.offset)
            kept = RawRecord(
                batch.topic,
                batch.partition,
                record.offset,
                record.timestamp,
                record.key,
                record.value,
                tuple(record.headers),
            )
            if self.records.setdefault(place, kept) != kept:
                raise AssertionError(f"two records at {place}")
        for entry in batch.entries:
            self.entries[(batch.cluster_id, batch.topic, batch.partition, entry.offset), entry.position] = entry

    def read(
        self, cluster_id: str, topic: str, partition: int, first: int, last: int | None = None
    ) -> Iterator[RawRecord]:
        for place in sorted(self.records):
            if place[:3] == (cluster_id, topic, partition) and first <= place[3] and (last is None or place[3] <= last):
                yield self.records[place]

    def find(self, service: str, start: float, end: float) -> Iterator[RawRecord]:
        found = {place for (place, _), entry in self.entries.items() if _within(entry, service, start, end)}
        return (self.records[place] for place in sorted(found))

    def close(self) -> None:
        """Nothing is open."""

    def content(self) -> dict[Any, Any]:
        """Every record with all entries that point to it, to compare two logs by."""
        return {"records": self.records, "entries": self.entries}


def _within(entry: RawEntry, service: str, start: float, end: float) -> bool:
    return entry.service == service and start <= entry.at < end
