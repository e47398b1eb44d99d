"""What a person has answered is not offered again when its problem leaves a group; nothing else comes of a verdict."""

from typing import Any

import pytest

from tests.unit.models.laws import START, Tick
from tests.unit.models.test_deployment_before import part_of, problem, proposals, told
from vigia.events.identity import derive_id
from vigia.events.remediation import Verdict
from vigia.models.remediation import offers
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.remediation.offers import MOST, OffersState
from vigia.models.remediation.state import offers_key

PROPOSAL = derive_id("proposal", "shop", "p1", "rollback")
GROUPED, RELEASED = part_of("g", 1), part_of("g", 2, released=True)


def verdict(version=1, decision="deny", proposal_id=PROPOSAL, service="shop"):
    return Verdict(
        proposal_id=proposal_id, proposal_version=version, service=service, decision=decision, by="ada", at=START
    )


def offered(*events):
    return [(each.status, each.version) for each in proposals(told(*events))]


@pytest.mark.parametrize("decision", ["deny", "approve"])
def test_an_answer_before_the_group_keeps_it_from_being_offered_again(decision):
    found = offered(problem(), verdict(decision=decision), GROUPED, RELEASED)
    assert found == [("proposed", 1), ("withdrawn", 2)]


def test_an_answer_that_crosses_the_withdrawal_counts_too():
    assert offered(problem(), GROUPED, verdict(), RELEASED) == [("proposed", 1), ("withdrawn", 2)]


def test_without_an_answer_it_is_offered_again():
    assert offered(problem(), GROUPED, RELEASED)[-1] == ("proposed", 3)


@pytest.mark.parametrize(
    "other", [verdict(2), verdict(9), verdict(proposal_id="another"), verdict(service="cart")], ids=repr
)
def test_an_answer_to_something_else_is_none(other):
    assert offered(problem(), other, GROUPED, other, RELEASED)[-1] == ("proposed", 3)


def test_an_answer_to_what_people_saw_before_is_none_to_what_is_offered_now():
    found = offered(problem(), GROUPED, RELEASED, verdict(1), part_of("h", 1), part_of("h", 2, released=True))
    assert found[-1] == ("proposed", 5)
    found = offered(problem(), GROUPED, RELEASED, verdict(3), part_of("h", 1), part_of("h", 2, released=True))
    assert found[-1] == ("withdrawn", 4)


def test_a_verdict_does_not_change_the_status():
    lane = told(problem(), verdict())
    assert [(each.status, each.version) for each in proposals(lane)] == [("proposed", 1)]
    lane.run([Tick(START + 9_999)])
    assert [(each.status, each.version) for each in proposals(lane)] == [("proposed", 1), ("expired", 2)]


def test_what_is_over_or_lapsed_leaves_nothing_behind():
    key = offers_key("shop")
    assert list(told(problem()).states[key].offers) == [PROPOSAL]
    assert key not in told(problem(), verdict(), problem("resolved", 2)).states
    assert key not in told(problem(), verdict()).run([Tick(START + 9_999)]).states


def test_verdicts_on_what_was_never_offered_leave_nothing_behind():
    assert told(*(verdict(number, proposal_id=f"made up {number}") for number in range(50))).states == {}


def test_of_very_many_offers_the_latest_are_remembered():
    state = OffersState()
    for number in range(MOST + 1):
        offers.offer(state, str(number), 1)
    offers.offer(state, "1", 3)
    offers.offer(state, "new", 1)
    assert len(state.offers) == MOST
    assert not {"0", "2"} & set(state.offers)
    assert not offers.answer(state, "1", 1)
    assert offers.answer(state, "1", 3)
    assert not offers.answer(state, "1", 3)
    assert offers.is_answered(state, "1")


def test_the_release_before_leaves_what_was_answered_as_it_is():
    model = RemediationModel(RemediationConfig())
    key = offers_key("shop")
    lane = told(problem(), verdict())
    back: Any = model.load(key, model.schema - 1, model.dump_previous(key, lane.states[key]))
    assert offers.is_answered(back, PROPOSAL)
