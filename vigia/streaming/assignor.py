"""Assigns whole lanes: partitions with the same number of an agent's topics always go to the same worker.

Faust uses its own co-partitioned assignor only while tables have standbys, and otherwise a round robin that splits
topics which belong together. This one spreads lanes evenly and moves few of them when a worker comes or goes: each
lane goes to the member with the highest hash of (member, lane) that still has room (rendezvous hashing, Thaler and
Ravishankar 1998, with bounded loads).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

Lane = tuple[str, int]


def spread(lanes: Iterable[Lane], members: Iterable[str]) -> dict[str, list[Lane]]:
    """Return which member gets which lanes: at most ceil(lanes / members) each.

    >>> spread([("a", 0), ("a", 1)], ["m"])
    {'m': [('a', 0), ('a', 1)]}
    """
    all_lanes, all_members = sorted(lanes), sorted(members)
    room = -(-len(all_lanes) // len(all_members))
    given: dict[str, list[Lane]] = {member: [] for member in all_members}
    for lane in all_lanes:
        ranked = sorted(all_members, key=lambda member: _weight(member, lane), reverse=True)
        next(given[member] for member in ranked if len(given[member]) < room).append(lane)
    return given


def _weight(member: str, lane: Lane) -> bytes:
    return blake2b(f"{member}\0{lane[0]}\0{lane[1]}".encode(), digest_size=8).digest()


def lane_assignor(agent_of: Mapping[str, str]) -> type[AbstractPartitionAssignor]:
    """Return an assignor for the topics (physical names) of the given agents; aiokafka wants a class, not an object."""

    class LaneAssignor(AbstractPartitionAssignor):  # type: ignore[misc] # aiokafka is untyped
        """See the module."""

        name = "vigia-lanes"
        version = 0

        @classmethod
        def assign(
            cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
        ) -> dict[str, ConsumerProtocolMemberAssignment]:
            topics = sorted({topic for member in members.values() for topic in member.subscription})
            partitions = {topic: cluster.partitions_for_topic(topic) or set() for topic in topics}
            lanes = {(agent_of.get(topic, topic), number) for topic in topics for number in partitions[topic]}
            assignment = {}
            for member, given in spread(lanes, members).items():
                mine = set(given)
                by_topic: dict[str, list[int]] = defaultdict(list)
                for topic in topics:
                    by_topic[topic] = [n for n in sorted(partitions[topic]) if (agent_of.get(topic, topic), n) in mine]
                listing = [(topic, numbers) for topic, numbers in by_topic.items() if numbers]
                assignment[member] = ConsumerProtocolMemberAssignment(cls.version, listing, b"")
            return assignment

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(cls.version, sorted(topics), b"")

        @classmethod
        def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
            """Nothing is remembered: the hashes are."""

    return LaneAssignor
