"""Which deployment a proposal names: the latest that had ended when its problem opened, as it was known at first."""

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.catalog import Catalog
from vigia.events.deployed import Deployed
from vigia.events.problem_links import ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.remediation import DeploymentBefore
from vigia.events.summaries import ProposalSummary
from vigia.models.remediation import deployments
from vigia.models.remediation.deployments import MOST, DeployedState
from vigia.models.remediation.model import FORGET_AFTER, RemediationConfig, RemediationModel
from vigia.models.remediation.state import deployed_key, key_of

ONSET = START - 60.0


def ended(name, at, service="shop", **fields):
    return Deployed(
        **{
            "service": service,
            "deployment_id": f"id of {name}",
            "source": "ci",
            "external_id": name,
            "at": at,
            "status": "succeeded",
            "version": name,
            **fields,
        }
    )


def problem(status="open", version=1, **fields):
    return Problem(
        **{
            "problem_id": "p1",
            "service": "shop",
            "detector": "high_error_rate",
            "severity": "P1",
            "status": status,
            "opened_at": ONSET,
            "at": ONSET,
            "why": "The error rate is 30 %.",
            "series_id": "s",
            "metric": "error_rate",
            "version": version,
            **fields,
        }
    )


def part_of(group, version, *, released=False):
    return ProblemGrouped(service="shop", problem_id="p1", part_of=group, version=version, at=START, released=released)


CATALOG = Catalog.parse({"service": [{"name": "shop", "team": "unassigned", "depends_on": ["orders-db"]}]}, "catalog")


def told(*events):
    config = RemediationConfig(dependencies=CATALOG.dependencies)
    return Lane(RemediationModel(config)).run([Sent(event, START) for event in events])


def proposals(lane) -> list[Any]:
    return [output.event for output in lane.outputs if output.topic == "approvals"]


def named(*events):
    """The version of the deployment that the one proposal names."""
    (proposal,) = proposals(told(*events, problem()))
    return proposal.deployment and proposal.deployment.version


def test_a_proposal_names_the_deployment_before_its_problem_and_how_long_before():
    lane = told(ended("7", ONSET - 720, commit="c1", status="failed", kind="rollback"), problem())
    (proposal,) = proposals(lane)
    assert proposal.deployment == DeploymentBefore(
        deployment_id="id of 7",
        source="ci",
        external_id="7",
        at=ONSET - 720,
        seconds_before=720.0,
        status="failed",
        kind="rollback",
        version="7",
        commit="c1",
    )
    (row,) = [row for row in lane.rows.values() if isinstance(row, ProposalSummary)]
    assert (row.deployment_id, row.after) == ("id of 7", "12 min after a rollback of shop 7 failed")


def test_without_any_nothing_is_named():
    lane = told(problem())
    assert [each.deployment for each in proposals(lane)] == [None]
    (row,) = lane.rows.values()
    assert isinstance(row, ProposalSummary)
    assert (row.deployment_id, row.after) == (None, None)


def test_of_several_the_one_that_ended_last_before_it_is_named_whatever_the_order():
    for events in permutations([ended("6", ONSET - 900), ended("7", ONSET - 60), ended("8", ONSET + 1)]):
        assert named(*events) == "7"


def test_one_that_ended_as_it_opened_is_before_and_one_that_ended_after_is_not():
    assert named(ended("7", ONSET)) == "7"
    assert named(ended("7", ONSET + 0.001)) is None


def test_environments_and_services_are_apart():
    assert named(ended("6", ONSET - 900), ended("7", ONSET - 60, environment="staging")) == "6"
    assert named(ended("7", ONSET - 60, service="cart")) is None


def test_what_is_told_again_of_an_end_stands_in_its_place():
    first = ended("7", ONSET - 60, version="")
    mended = ended("7", ONSET - 60)
    assert named(first, mended) == named(first, mended, mended) == "7"
    assert len(told(first, mended, mended).states[deployed_key("shop", "production")].ends) == 1


def test_a_deployment_that_was_tried_again_after_the_onset_is_named_by_its_first_end():
    (proposal,) = proposals(told(ended("7", ONSET - 60, status="failed"), ended("7", ONSET + 60), problem()))
    assert (proposal.deployment.status, proposal.deployment.at) == ("failed", ONSET - 60)


def test_what_is_told_after_the_proposal_changes_nothing_that_was_proposed():
    lane = told(ended("6", ONSET - 900), problem(), ended("7", ONSET - 60), problem("resolved", 2))
    assert [(each.status, each.deployment.version) for each in proposals(lane)] == [
        ("proposed", "6"),
        ("withdrawn", "6"),
    ]


def test_a_proposal_that_is_offered_again_names_what_it_named_first():
    lane = told(
        ended("6", ONSET - 900), problem(), part_of("g", 1), ended("7", ONSET - 60), part_of("g", 2, released=True)
    )
    assert [each.status for each in proposals(lane)] == ["proposed", "withdrawn", "proposed"]
    assert {each.deployment.version for each in proposals(lane)} == {"6"}
    lane.run([Tick(START + 9_999)])
    assert [(each.status, each.deployment.version) for each in proposals(lane)][-1] == ("expired", "6")


def test_one_that_is_first_offered_when_its_problem_leaves_a_group_names_what_is_known_then():
    # it joined while it was stale
    lane = told(problem("stale"), part_of("g", 1), problem("open", 2))
    assert proposals(lane) == []
    lane.run([Sent(ended("7", ONSET - 60), START), Sent(part_of("g", 2, released=True), START)])
    assert [each.deployment.version for each in proposals(lane)] == ["7"]


def test_a_release_that_names_another_environment_than_its_problem_stops_nothing():
    elsewhere = msgspec.structs.replace(part_of("g", 2, released=True), environment="staging")
    lane = told(problem("stale"), part_of("g", 1), problem("open", 2), ended("7", ONSET - 60), elsewhere)
    assert [each.deployment for each in proposals(lane)] == [None]


def test_no_problem_opens_or_closes_by_a_deployment():
    lane = told(ended("7", ONSET - 60), problem("stale"), problem("resolved", 2))
    assert proposals(lane) == []
    assert told(*(ended(str(number), START) for number in range(30))).outputs == []


def test_the_latest_few_are_remembered_and_forgotten_in_time():
    lane = told(*(ended(str(number), START - number) for number in range(MOST + 20)))
    key = deployed_key("shop", "production")
    assert [each.version for each in lane.states[key].ends] == [str(number) for number in range(MOST - 1, -1, -1)]
    lane.run([Tick(START + FORGET_AFTER - 1)])
    assert key in lane.states
    lane.run([Tick(START + FORGET_AFTER)])
    assert key not in lane.states


ends = st.builds(
    ended,
    st.sampled_from(["5", "6", "7", "8"]),
    st.sampled_from([ONSET - 3_600 + 60 * number for number in range(120)]),
)


@given(
    st.lists(ends, max_size=20, unique_by=lambda each: (each.external_id, each.at)).flatmap(
        lambda some: st.tuples(st.just(some), st.permutations(some))
    )
)
def test_the_order_in_which_ends_are_told_does_not_matter(pair):
    def after(events):
        state = DeployedState()
        for event in events:
            state = deployments.take(state, event)
        return state

    one, other = pair
    assert after(one) == after(other)
    latest = sorted(one, key=lambda each: (each.at, each.deployment_id))[-MOST:]
    before = [each for each in latest if each.at <= ONSET]
    found = deployments.before(after(one), ONSET)
    assert (found and (found.at, found.deployment_id)) == (
        (before[-1].at, before[-1].deployment_id) if before else None
    )


@pytest.mark.parametrize(
    ("seconds", "fields", "words"),
    [
        (0.0, {}, "0 s after shop 7 was deployed"),
        (119.9, {}, "119 s after shop 7 was deployed"),
        (120.0, {}, "2 min after shop 7 was deployed"),
        (7_200.0, {"kind": "publication"}, "2 h after shop 7 was published"),
        (40 * 86_400.0, {"kind": "removal"}, "40 days after shop 7 was removed"),
        (720.0, {"kind": "rollback"}, "12 min after shop was rolled back to 7"),
        (720.0, {"kind": "rollback", "version": ""}, "12 min after shop was rolled back"),
        (720.0, {"version": "", "commit": "9fceb02d0ae598e95dc970b"}, "12 min after shop 9fceb02d0ae5 was deployed"),
        (720.0, {"version": ""}, "12 min after shop was deployed"),
        (720.0, {"status": "cancelled"}, "12 min after a deployment of shop 7 was cancelled"),
    ],
)
def test_the_words_say_what_was_done_and_how_long_before(seconds, fields, words):
    state = deployments.take(DeployedState(), ended("7", ONSET - seconds, **fields))
    found = deployments.before(state, ONSET)
    assert found is not None
    assert deployments.in_words("shop", found) == words


def test_the_release_before_reads_a_proposal_that_names_a_deployment_and_gives_it_back():
    model = RemediationModel(RemediationConfig())
    lane = told(ended("7", ONSET - 60), problem())
    key = key_of("shop", "p1")
    back: Any = model.load(key, model.schema - 1, model.dump_previous(key, lane.states[key]))
    assert back.proposal.deployment.version == "7"
