"""A repartition itself: lanes are taken over, partitions added, and everything moved in one transaction.

It can be killed anywhere and run again: until the transaction nothing but versions has changed in the database, and
partitions that were added stay added.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scripts.operations.lane_moving import Refused
from scripts.repartitioning.kafka import GrowingKafka
from vigia.stores.base import LaneRow
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.repartition import Change, Told
from vigia.stores.sql.summaries import SqlSummaries
from vigia.streaming.repartition import Repartition

OWNER = "repartition"


class Who(NamedTuple):
    """Who does it, when (epoch seconds), and why."""

    by: str
    at: float
    because: str


def take_over(summaries: SqlSummaries, rows: Iterable[LaneRow]) -> list[LaneRow]:
    """Take lanes over, so that a worker that nobody saw conflicts; raises Refused when one was at work since."""
    taken = []
    for row in rows:
        now = summaries.acquire(row.lane, OWNER, row.cluster_id, row.partition_count)
        if (now.version, now.offsets) != (row.version + 1, row.offsets):
            raise Refused(f"lane {row.lane} has another owner since it was looked at: a worker is running")
        taken.append(now)
    return taken


def grow_topics(kafka: GrowingKafka, counts: dict[str, int], count: int) -> None:
    """Add the partitions that topics lack; `counts` is how many each has."""
    kafka.grow([topic for topic, found in counts.items() if found < count], count)


def redistribute(
    summaries: SqlSummaries, plan: Repartition, held: Sequence[LaneRow], cluster_id: str, who: Who, told: Told
) -> list[LaneRow]:
    """Move everything to its lane, and return the lanes' rows then.

    Raises Conflict when a lane is not as it was taken over; nothing has changed then.
    """
    rows = plan.rows(held, cluster_id)
    done = [
        Intervention(
            lane=row.lane,
            sequence=row.step,
            kind="repartition",
            topic="",
            before=plan.before,
            after=plan.after,
            at=who.at,
            by=who.by,
            because=who.because,
        )
        for row in rows
    ]
    summaries.repartition(plan, Change(held, rows, done), told)
    return rows
