"""Assigns whole lanes: partitions with the same number of an agent's topics always go to the same worker.

Faust uses its own co-partitioned assignor only while tables have standbys, and otherwise a round robin that splits
topics which belong together. This one spreads lanes evenly and moves few of them when a worker comes or goes: each
lane goes to the member with the highest hash of (member, lane) that still has room (rendezvous hashing, Thaler and
Ravishankar 1998, with bounded loads).

Members of another release may read other topics. A lane goes only to members that read all topics of its agent, and
none at all to members that read what this release does not know: it cannot tell whose topic that is. A lane that
nobody can take waits, which is logged: to end would end one leader after the other, and with it all other lanes.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

Lane = tuple[str, int]


logger = logging.getLogger(__name__)


def _all_can(member: str, lane: Lane) -> bool:  # noqa: ARG001 - one release, in which all members read the same
    return True


def spread(
    lanes: Iterable[Lane], members: Iterable[str], can_take: Callable[[str, Lane], bool] = _all_can
) -> dict[str, list[Lane]]:
    """Return which member gets which lanes: at most ceil(lanes / members) each, unless too few can take them.

    A lane that nobody can take is left out.

    >>> spread([("a", 0), ("a", 1)], ["m"])
    {'m': [('a', 0), ('a', 1)]}
    """
    all_lanes, all_members = sorted(lanes), sorted(members)
    room = -(-len(all_lanes) // len(all_members))
    given: dict[str, list[Lane]] = {member: [] for member in all_members}
    able = {lane: [member for member in all_members if can_take(member, lane)] for lane in all_lanes}
    # what few can take comes first, while they have room
    for lane in sorted(all_lanes, key=lambda lane: (len(able[lane]), lane)):
        ranked = sorted(able[lane], key=lambda member: _weight(member, lane), reverse=True)
        with_room = [member for member in ranked if len(given[member]) < room]
        if ranked:
            given[with_room[0] if with_room else min(ranked, key=lambda member: len(given[member]))].append(lane)
    return {member: sorted(some) for member, some in given.items()}


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
            read = {member: frozenset(metadata.subscription) for member, metadata in members.items()}
            topics_of: dict[str, set[str]] = defaultdict(set)
            for topic in agent_of.keys() & frozenset().union(*read.values()):
                topics_of[agent_of[topic]].add(topic)
            _tell_differences(read, topics_of, agent_of)
            partitions = {topic: cluster.partitions_for_topic(topic) or set() for topic in agent_of}
            lanes = {
                (agent, number)
                for agent, topics in topics_of.items()
                for topic in topics
                for number in partitions[topic]
            }

            def can_take(member: str, lane: Lane) -> bool:
                return read[member] <= agent_of.keys() and topics_of[lane[0]] <= read[member]

            assignment = {}
            for member, given in spread(lanes, members, can_take).items():
                by_topic: dict[str, list[int]] = defaultdict(list)
                for agent, number in given:
                    for topic in topics_of[agent]:
                        if number in partitions[topic]:
                            by_topic[topic].append(number)
                assignment[member] = ConsumerProtocolMemberAssignment(cls.version, sorted(by_topic.items()), b"")
            return assignment

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(cls.version, sorted(topics), b"")

        @classmethod
        def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
            """Nothing is remembered: the hashes are."""

    return LaneAssignor


def _tell_differences(
    read: Mapping[str, frozenset[str]], topics_of: Mapping[str, set[str]], agent_of: Mapping[str, str]
) -> None:
    """Log which members get less than others because they read other topics, and which lanes nobody gets."""
    newer = {member for member, topics in read.items() if not topics <= agent_of.keys()}
    for member in sorted(newer):
        unknown = ", ".join(sorted(read[member] - agent_of.keys()))
        logger.warning("%s reads topics that this release does not know (%s): it gets no lanes", member, unknown)
    for agent, topics in sorted(topics_of.items()):
        lacking = {member: topics - read[member] for member in sorted(read.keys() - newer) if topics - read[member]}
        for member, missing in lacking.items():
            names = ", ".join(sorted(missing))
            logger.warning("%s does not read %s: it gets no lanes of %s", member, names, agent)
        if len(lacking) + len(newer) == len(read):
            logger.error("nobody in the group reads all topics of %s: its lanes wait until somebody does", agent)
