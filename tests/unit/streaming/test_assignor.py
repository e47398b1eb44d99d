"""The assignor spreads whole lanes: each once, together over topics, evenly, and with few moves."""

from collections import Counter
from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.streaming.assignor import Lane, lane_assignor, spread
from vigia.streaming.ownership import check_aligned

AGENT_OF = {
    "deployments": "deployments",
    "feedback": "deployments",
    "metrics": "metrics",
    "mutes": "metrics",
    "problems": "remediation",
}
PARTITIONS = {"deployments": 1, "feedback": 1, "metrics": 8, "mutes": 8, "problems": 1}

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


@given(lanes, st.dictionaries(names, st.sets(st.sampled_from(["a", "b", "c"])), min_size=1, max_size=6))
def test_a_lane_goes_to_one_of_those_that_can_take_it_and_waits_when_there_is_none(all_lanes, group):
    given_lanes = spread(all_lanes, group, lambda member, lane: lane[0] in group[member])
    assert all(lane[0] in group[member] for member, some in given_lanes.items() for lane in some)
    takable = {lane for lane in all_lanes if any(lane[0] in agents for agents in group.values())}
    assert sorted(lane for some in given_lanes.values() for lane in some) == sorted(takable)


@given(st.sets(st.integers(0, 30)), members, members)
def test_those_that_can_take_lanes_share_them_evenly_beside_some_that_cannot(numbers, able, others):
    some = spread([("a", n) for n in numbers], able | others, lambda member, _: member in able)
    counts = [len(some[member]) for member in able]
    assert max(counts) - min(counts) <= max(1, -(-len(numbers) // len(able | others)))


def assign(group: set[str]) -> dict[str, dict[str, list[int]]]:
    return assign_mixed(dict.fromkeys(group, sorted(PARTITIONS)))


def assign_mixed(group: Mapping[str, Collection[str]]) -> dict[str, dict[str, list[int]]]:
    """What a leader that knows AGENT_OF gives to members that read these topics."""
    subscriptions: Any = {member: SimpleNamespace(subscription=list(topics)) for member, topics in group.items()}
    result = lane_assignor(AGENT_OF).assign(Cluster(), subscriptions)
    return {member: dict(assignment.assignment) for member, assignment in result.items()}


@given(members)
def test_topics_of_an_agent_are_assigned_with_the_same_partition_numbers(group):
    for topics in assign(group).values():
        assert topics.get("deployments") == topics.get("feedback")


@given(members)
def test_every_partition_is_assigned_once(group):
    assigned = [(topic, n) for topics in assign(group).values() for topic, numbers in topics.items() for n in numbers]
    assert sorted(assigned) == sorted((topic, n) for topic, count in PARTITIONS.items() for n in range(count))


OLD = {"deployments", "feedback", "metrics"}
"""What workers of the release before read: they know no `mutes`, and no remediation."""
NEW = {*OLD, "mutes", "problems"}


def test_in_a_mixed_group_lanes_of_an_agent_with_a_new_topic_go_to_those_that_read_it():
    for number in range(20):
        old, new = f"old-{number}", f"new-{number}"
        given_lanes = assign_mixed({old: OLD, new: NEW})
        assert given_lanes[new]["metrics"] == given_lanes[new]["mutes"] == list(range(8))
        assert given_lanes[new]["problems"] == [0]
        # the old one has what has not changed
        assert given_lanes[old] == {"deployments": [0], "feedback": [0]}


subscriptions = st.dictionaries(names, st.sets(st.sampled_from([*sorted(AGENT_OF), "later"])), min_size=1, max_size=5)


@given(subscriptions)
def test_whatever_members_read_each_gets_whole_lanes_of_topics_that_it_reads(group):
    known = set().union(*group.values()) & AGENT_OF.keys()
    topics_of = {agent: {topic for topic in known if AGENT_OF[topic] == agent} for agent in AGENT_OF.values()}
    given_lanes = assign_mixed(group)
    assert given_lanes.keys() == group.keys()
    assigned = Counter((topic, n) for each in given_lanes.values() for topic, numbers in each.items() for n in numbers)
    for member, topics in given_lanes.items():
        assert topics.keys() <= group[member]
        for some in topics_of.values():
            check_aligned({topic: set(topics.get(topic, ())) for topic in some})
    for some in topics_of.values():
        taken = any(some <= reads <= AGENT_OF.keys() for reads in group.values())
        for topic in some:
            assert {assigned[topic, n] for n in range(PARTITIONS[topic])} == {int(taken)}


def test_a_member_that_reads_what_this_release_does_not_know_waits_for_the_upgrade_to_go_on(caplog):
    given_lanes = assign_mixed({"now": NEW, "later": {*NEW, "unheard-of"}})
    assert given_lanes["later"] == {}
    assert given_lanes["now"]["metrics"] == list(range(8))
    assert "later reads topics that this release does not know (unheard-of): it gets no lanes" in caplog.text


def test_lanes_that_nobody_can_take_wait_and_that_is_logged(caplog):
    given_lanes = assign_mixed({"one": {"metrics", "deployments"}, "other": {"mutes", "deployments"}})
    assert sorted(topic for topics in given_lanes.values() for topic in topics) == ["deployments"]
    assert "one does not read mutes: it gets no lanes of metrics" in caplog.text
    assert "other does not read metrics: it gets no lanes of metrics" in caplog.text
    (error,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert error == "nobody in the group reads all topics of metrics: its lanes wait until somebody does"


def test_of_a_group_in_which_all_read_the_same_nothing_is_logged(caplog):
    assign_mixed({"one": OLD, "other": OLD})
    assert caplog.text == ""


def test_a_topic_that_does_not_exist_yet_is_left_out():
    subscription: Any = SimpleNamespace(subscription=["metrics", "not-there"])
    assignor = lane_assignor({**AGENT_OF, "not-there": "metrics"})
    assert dict(assignor.assign(Cluster(), {"m": subscription})["m"].assignment) == {"metrics": list(range(8))}


def test_members_of_a_group_recognise_the_assignor_by_its_name():
    assignor = lane_assignor(AGENT_OF)
    assert assignor.name == "vigia-lanes"
    assert assignor.metadata(["b", "a"]).subscription == ["a", "b"]
