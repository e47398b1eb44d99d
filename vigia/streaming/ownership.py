"""Whether a lane's position fits the broker: checked before the lane is taken over, and when a fetch is refused.

Going on where these do not fit would lose or repeat events silently, so each case stops with what happened and what
to do.
"""

from dataclasses import dataclass

import msgspec

from vigia.stores.base import LaneId, LaneRow
from vigia.streaming.failure import NeedsPersonError


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What the broker says of one input partition: the first offset it still has, and the next it will give.

    `topic_id` is empty where the broker gives no ids (the embedded one).
    """

    log_start: int
    log_end: int
    topic_id: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The broker's identity. An `ephemeral` broker (the embedded one) forgets everything and has a new id at each
    start.
    """

    cluster_id: str
    ephemeral: bool


def adopt(row: LaneRow, cluster: Cluster, partition_count: int) -> LaneRow:
    """Return the row as it shall be on this cluster; equal to `row` where nothing changes.

    Raises NeedsPersonError when the lane was filled from another cluster or another number of partitions.
    """
    if row.cluster_id != cluster.cluster_id:
        if cluster.ephemeral:
            return msgspec.structs.replace(
                row, cluster_id=cluster.cluster_id, offsets={}, partition_count=partition_count
            )
        raise NeedsPersonError(
            f"lane {row.lane} was filled from Kafka cluster {row.cluster_id}, but this is cluster "
            f"{cluster.cluster_id}; its offsets mean nothing here. Point kafka.bootstrap at the old cluster, or use "
            "another summaries database."
        )
    if row.partition_count != partition_count:
        raise NeedsPersonError(
            f"lane {row.lane} was filled with {row.partition_count} partitions a topic, but now there are "
            f"{partition_count}: keys would change lanes. `python -m scripts.topics repartition {row.lane.agent} "
            f"{partition_count}` lets their states follow."
        )
    return row


def position(row: LaneRow, topic: str, facts: BrokerFacts) -> int:
    """Return from which offset the lane must read `topic`.

    Raises NeedsPersonError when the broker no longer has it (retention, truncation) or never had it (recreated topic).
    """
    stored = row.offsets.get(topic)
    if stored is None:
        return facts.log_start
    if stored < facts.log_start:
        raise NeedsPersonError(
            f"lane {row.lane} has applied {topic} up to offset {stored}, but Kafka's log now starts at "
            f"{facts.log_start}: {facts.log_start - stored} offsets were deleted before they were applied. "
            "Raise the topic's retention; to go on without them, set the lane's offset by hand and note it."
        )
    if stored > facts.log_end:
        raise NeedsPersonError(
            f"lane {row.lane} has applied {topic} up to offset {stored}, but Kafka's log ends at {facts.log_end}: the "
            "topic was truncated or created anew. Restore it, or use another summaries database for the new topic."
        )
    return stored


def check_topic(lane: LaneId, topic: str, kept: str, facts: BrokerFacts) -> None:
    """Check that `topic` is still the one that the lane has read: `kept` is the id it had then, if it is known.

    A topic that was deleted and created anew gives its offsets out a second time, so a stored one may well lie within
    its log. Raises NeedsPersonError.
    """
    if kept and facts.topic_id and kept != facts.topic_id:
        raise NeedsPersonError(
            f"lane {lane} has read topic {topic} with the id {kept}, but the topic of that name has the id "
            f"{facts.topic_id} now: it was created anew, and its offsets are those of other records. Use another "
            "summaries database for the new topic, or move the lane to its beginning and forget the old id by hand."
        )


def outside_log(topic: str, partition: int, offset: int, facts: BrokerFacts) -> str:
    """Say why `offset`, which was to be read next, was refused by the broker, and what to do."""
    place = f"topic {topic}, partition {partition}: offset {offset} was to be read next, but "
    if offset < facts.log_start:
        return (
            f"{place}Kafka's log now starts at {facts.log_start}: {facts.log_start - offset} offsets were deleted "
            "before they were read. Raise the topic's retention; to go on without them, set the lane's offset by hand "
            "and note it."
        )
    if offset > facts.log_end:
        return (
            f"{place}Kafka's log now ends at {facts.log_end}: the topic was truncated or created anew. Restore it, or "
            "use another summaries database for the new topic."
        )
    return (
        f"{place}the broker refused it, although its log goes from {facts.log_start} to {facts.log_end}. Look at the "
        "partition's replicas."
    )


def check_aligned(partitions: dict[str, set[int]]) -> None:
    """Check that an agent's topics are assigned with the same partition numbers: a lane must not be split over workers.

    Raises NeedsPersonError otherwise.
    """
    if len({frozenset(numbers) for numbers in partitions.values()}) > 1:
        listing = ", ".join(f"{topic}: {sorted(numbers)}" for topic, numbers in sorted(partitions.items()))
        raise NeedsPersonError(
            f"the group assigned partitions that do not belong together ({listing}); its leader is of another version "
            "or another application: end all workers of the release before, then start this one."
        )
