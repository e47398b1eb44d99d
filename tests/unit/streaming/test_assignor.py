"""The assignor spreads whole lanes: each once, together over topics, evenly, and with few moves."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.streaming.assignor import Lane, lane_assignor, spread

AGENT_OF = {"deployments": "deployments", "feedback": "deployments", "metrics": "metrics", "problems": "remediation"}
PARTITIONS = {"deployments": 1, "feedback": 1, "metrics": 8, "problems": 1}

names = st.text("abcdef-0123456789", min_size=1, max_size=8)
members = st.sets(names, min_size=1, max_size=7)
lanes = st.sets(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 30)), max_size=40)


class Cluster:
    """As much of aiokafka's metadata as an assignor asks for."""

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = PARTITIONS.get(topic)
        return None if count is None else set(range(count))


def owner_of(given_lanes: dict[str, list[Lane]]) -> dict[Lane, str]:
    return {lane: member for member, some in given_lanes.items() for lane in some}


@given(lanes, members)
def test_every_lane_goes_to_exactly_one_member(all_lanes, group):
    given_lanes = spread(all_lanes, group)
    assert set(given_lanes) == group
    assert sorted(lane for some in given_lanes.values() for lane in some) == sorted(all_lanes)


@given(lanes, members)
def test_no_member_gets_more_than_its_share_rounded_up(all_lanes, group):
    most = max(len(some) for some in spread(all_lanes, group).values())
    assert most <= -(-len(all_lanes) // len(group))


@given(st.permutations(sorted({(agent, n) for agent in "ab" for n in range(6)})), st.permutations(["m1", "m2", "m3"]))
def test_the_order_in_which_members_and_lanes_are_named_does_not_matter(all_lanes, group):
    assert spread(all_lanes, group) == spread(sorted(all_lanes), sorted(group))


@pytest.mark.parametrize(("number", "members_before"), [(4, 1), (4, 2), (4, 3), (8, 3), (12, 4), (24, 3), (48, 6)])
def test_when_a_member_joins_or_leaves_few_lanes_move_beyond_those_that_it_gets_or_had(number, members_before):
    all_lanes = [("metrics", n) for n in range(number)]
    moved = joined = 0
    for salt in range(100):
        group = [f"worker-{salt}-{n}" for n in range(members_before)]
        smaller = owner_of(spread(all_lanes, group))
        larger = owner_of(spread(all_lanes, [*group, f"joined-{salt}"]))
        moved += sum(smaller[lane] != larger[lane] for lane in all_lanes)
        joined += sum(member.startswith("joined") for member in larger.values())
    assert moved <= 2 * joined


def assign(group: set[str]) -> dict[str, dict[str, list[int]]]:
    assignor = lane_assignor(AGENT_OF)
    subscription: Any = SimpleNamespace(subscription=sorted(PARTITIONS))
    result = assignor.assign(Cluster(), dict.fromkeys(group, subscription))
    return {member: dict(assignment.assignment) for member, assignment in result.items()}


@given(members)
def test_topics_of_an_agent_are_assigned_with_the_same_partition_numbers(group):
    for topics in assign(group).values():
        assert topics.get("deployments") == topics.get("feedback")


@given(members)
def test_every_partition_is_assigned_once(group):
    assigned = [(topic, n) for topics in assign(group).values() for topic, numbers in topics.items() for n in numbers]
    assert sorted(assigned) == sorted((topic, n) for topic, count in PARTITIONS.items() for n in range(count))


def test_a_topic_that_does_not_exist_yet_is_left_out():
    subscription: Any = SimpleNamespace(subscription=["metrics", "not-there"])
    assignment = lane_assignor(AGENT_OF).assign(Cluster(), {"m": subscription})
    assert dict(assignment["m"].assignment) == {"metrics": list(range(8))}


def test_members_of_a_group_recognise_the_assignor_by_its_name():
    assignor = lane_assignor(AGENT_OF)
    assert assignor.name == "vigia-lanes"
    assert assignor.metadata(["b", "a"]).subscription == ["a", "b"]
