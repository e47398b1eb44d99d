"""The deployments model tells the lane of a service of each deployment that has ended, once."""

from itertools import pairwise, permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent
from tests.unit.models.test_deployments_model import deployment, lane_after, outcome, row
from vigia.events.deployed import Deployed
from vigia.events.deployments import Commit
from vigia.models.deployments import DeploymentsModel


def ends(lane):
    found = [output for output in lane.outputs if isinstance(output.event, Deployed)]
    assert all((output.topic, output.key) == ("deployed", output.event.service) for output in found)
    return [output.event for output in found]


def test_an_end_is_told_once_with_all_that_is_known_of_the_deployment():
    lane = lane_after(
        deployment("planned", commits=[Commit(sha="c1", committed_at=START - 60)]),
        deployment("started"),
        deployment("finished", version="7", status="failed", environment="staging"),
    )
    (end,) = ends(lane)
    assert end == Deployed(
        service="web",
        deployment_id=deployment().deployment_id,
        source="ci",
        external_id="1",
        at=START,
        status="failed",
        environment="staging",
        version="7",
        commit="c1",
    )


def test_what_is_not_over_is_not_told():
    assert ends(lane_after(deployment("planned"), deployment("started"), outcome())) == []


def test_an_end_that_is_told_twice_is_sent_on_once():
    told = deployment("finished")
    again = msgspec.structs.replace(told, event_id="told again")
    lane = lane_after(told, again)
    lane.run([Sent(again, START + 90), Sent(deployment("started"), START + 91), Sent(outcome(), START + 92)])
    assert len(ends(lane)) == 1


def test_the_order_of_stages_does_not_matter_to_what_is_told_last():
    for events in permutations([deployment("planned", version="7"), deployment("finished", at=START + 9)]):
        assert [each.version for each in ends(lane_after(*events))][-1] == "7"


def test_a_tool_that_tries_again_ends_twice_and_an_end_that_is_overtaken_is_not_told():
    failed = deployment("finished", at=START, status="failed")
    again = deployment("finished", at=START + 60)
    lane = Lane(DeploymentsModel()).run([Sent(failed, START + 60), Sent(again, START + 60)])
    assert [(each.status, each.at) for each in ends(lane)] == [("failed", START), ("succeeded", START + 60)]
    lane = Lane(DeploymentsModel()).run([Sent(again, START + 60), Sent(failed, START + 60)])
    assert [(each.status, each.at) for each in ends(lane)] == [("succeeded", START + 60)]


def test_recorded_history_is_not_told():
    assert ends(lane_after(deployment("finished", environment="history"))) == []


@pytest.mark.parametrize("kind", ["rollback", "publication", "removal"])
def test_whatever_kind_it_is_it_is_told_as_that(kind):
    (end,) = ends(lane_after(deployment("finished", kind=kind)))
    assert end.kind == kind


@pytest.mark.parametrize(
    ("commits", "named"),
    [
        ([], ""),
        ([Commit(sha="a")], "a"),
        ([Commit(sha="a"), Commit(sha="b")], ""),
        ([Commit(sha="b", committed_at=START - 9), Commit(sha="a", committed_at=START - 5), Commit(sha="c")], "a"),
    ],
)
def test_the_commit_is_named_where_it_is_known_which_was_last(commits, named):
    (end,) = ends(lane_after(deployment("finished", commits=commits)))
    assert end.commit == named


def test_what_says_something_else_has_another_identity():
    end = Deployed(service="web", deployment_id="d", source="ci", external_id="1", at=START, status="failed")
    for changed in (
        {"at": START + 1},
        {"status": "succeeded"},
        {"version": "7"},
        {"commit": "c"},
        {"kind": "rollback"},
        {"environment": "staging"},
    ):
        assert msgspec.structs.replace(end, **changed).identity != end.identity


told = st.builds(
    deployment,
    st.sampled_from(["planned", "started", "finished", "finished"]),
    at=st.sampled_from([START, START + 60, START + 120]),
    version=st.sampled_from(["", "7", "8"]),
    kind=st.sampled_from(["deployment", "rollback"]),
    environment=st.sampled_from(["production", "staging"]),
)


@given(st.lists(told, max_size=8))
def test_whatever_is_told_of_an_end_no_two_that_follow_each_other_are_equal_and_the_last_is_what_is_known(events):
    lane = Lane(DeploymentsModel()).run([Sent(event, START + 120) for event in events])
    found = ends(lane)
    assert all(one != next_one for one, next_one in pairwise(found))
    if not any(event.stage == "finished" for event in events):
        assert found == []
    else:
        known = row(lane)
        last = found[-1]
        assert (last.at, last.status, last.version) == (known.finished_at, known.status, known.version)
        assert (last.kind, last.environment) == (known.kind, known.environment)
