"""The raw records of a lane's steps. Each topic is read in one go, since steps of a topic follow each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.rebuilding.errors import RebuildStopped
from vigia.stores.base import LaneId, RawLog, RawRecord, StepRow


def place_of(lane: LaneId, step: StepRow) -> str:
    """Return how messages name a step."""
    return (
        f"lane {lane.agent}/{lane.partition}, step {step.sequence} ({step.topic}/{lane.partition} offsets "
        f"{step.first_offset} to {step.last_offset}, cluster {step.cluster_id})"
    )


@dataclass(slots=True)
class _Cursor:
    records: Iterator[RawRecord]
    next_offset: int
    """All records below it have been taken from `records`, or were not there."""
    ahead: RawRecord | None = None


class StepRecords:
    """Reads the raw log along the steps of one lane."""

    def __init__(self, raw_log: RawLog, lane: LaneId) -> None:
        self._raw_log = raw_log
        self._lane = lane
        self._cursors: dict[tuple[str, str], _Cursor] = {}

    def of(self, step: StepRow) -> list[RawRecord]:
        """Return the records that a step has applied.

        Raises RebuildStopped when the first or the last of them is missing; between them there may be holes, which
        Kafka leaves for the markers of transactions.
        """
        cursor = self._cursor(step)
        records: list[RawRecord] = []
        if cursor.ahead is not None and cursor.ahead.offset <= step.last_offset:
            if cursor.ahead.offset >= step.first_offset:
                records.append(cursor.ahead)
            cursor.ahead = None
        if cursor.ahead is None:
            self._fill(cursor, step, records)
        cursor.next_offset = step.last_offset + 1
        found = {record.offset for record in records[:1] + records[-1:]}
        missing = sorted({step.first_offset, step.last_offset} - found)
        if missing:
            raise RebuildStopped(
                f"{place_of(self._lane, step)}: the raw log has no record at "
                f"{' and '.join(map(str, missing))} of these offsets, so what the step did cannot be repeated. Restore "
                "the raw log, or replay the topic into it while Kafka still has the records."
            )
        return records

    def close(self) -> None:
        """End all reading."""
        self._cursors.clear()

    def _cursor(self, step: StepRow) -> _Cursor:
        place = (step.cluster_id, step.topic)
        cursor = self._cursors.get(place)
        if cursor is None or cursor.next_offset > step.first_offset:
            records = self._raw_log.read(*place, self._lane.partition, step.first_offset)
            cursor = self._cursors[place] = _Cursor(records, step.first_offset)
        return cursor

    @staticmethod
    def _fill(cursor: _Cursor, step: StepRow, records: list[RawRecord]) -> None:
        first, last = step.first_offset, step.last_offset
        append = records.append
        for record in cursor.records:
            offset = record.offset
            if offset > last:
                cursor.ahead = record
                return
            if offset >= first:
                append(record)
            if offset == last:
                return
