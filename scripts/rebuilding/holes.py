"""What a lane's steps and the raw log say of each other: records that no step applied, and records that are missing."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from scripts.rebuilding.past import steps_of
from vigia.stores.base import LaneRow, RawLog, StepRow
from vigia.stores.sql.summaries import SqlSummaries


class Hole(NamedTuple):
    """Offsets that do not fit, and the step in or before which they lie."""

    step: StepRow
    first: int
    last: int
    what: str


def unapplied(raw_log: RawLog, live: SqlSummaries, row: LaneRow) -> Iterator[Hole]:
    """Return the records that lie in the raw log between two steps, and that neither of them has applied."""
    ends: dict[tuple[str, str], int] = {}
    for step in steps_of(live, row.lane, row.step):
        place = (step.cluster_id, step.topic)
        end = ends.get(place, step.first_offset - 1)
        if step.first_offset > end + 1:
            found = raw_log.read(*place, row.lane.partition, end + 1, step.first_offset - 1)
            offsets = [record.offset for record in islice(found, 1)]
            if offsets:
                yield Hole(step, offsets[0], step.first_offset - 1, "in the raw log, applied by no step")
        ends[place] = step.last_offset


def missing(raw_log: RawLog, live: SqlSummaries, row: LaneRow) -> Iterator[Hole]:
    """Return the offsets inside steps at which the raw log has nothing.

    Kafka leaves such holes for markers of transactions, so this is where to look when figures differ, no more.
    """
    for step in steps_of(live, row.lane, row.step):
        expected = step.first_offset
        for record in raw_log.read(
            step.cluster_id, step.topic, row.lane.partition, step.first_offset, step.last_offset
        ):
            if record.offset > expected:
                yield Hole(step, expected, record.offset - 1, "not in the raw log")
            expected = record.offset + 1
        if expected <= step.last_offset:
            yield Hole(step, expected, step.last_offset, "not in the raw log")
