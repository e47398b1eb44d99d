"""Who may say what: by the sender's name, the kind, and what it is about."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.models.guard.guarding import AT, OWN, guard, incident, judgement, outcome
from vigia.events.deployments import Deployment
from vigia.events.feedback import AttributionCorrected, ChangeMerged, Feedback, PipelineRun
from vigia.events.invalid import Reason
from vigia.models.guard.guard import KIND_OF
from vigia.models.guard.rules import KINDS, RulesError, parse_rules

CLOSED: dict[str, Any] = {"others": {"kinds": []}}


def why(rules, event, at=AT):
    found = guard(rules).refusal(event, at)
    return None if found is None else found[0]


def test_without_rules_everybody_may_say_everything():
    for event in (outcome(), incident(), judgement(), outcome(sender="anybody", signature="sha256=00")):
        assert guard({}).refusal(event, AT) is None
        assert guard({}).limit_of(event, AT) is None


def test_every_kind_of_feedback_is_known_to_the_rules():
    assert set(KIND_OF) == set(Feedback.__args__)
    assert set(KIND_OF.values()) == set(KINDS)


def test_what_is_no_feedback_is_not_judged():
    deployment = Deployment(source="ci", external_id="7", service="shop-web", stage="planned", at=AT)
    assert guard(CLOSED).refusal(deployment, AT) is None


def test_a_sender_that_no_entry_names_may_do_what_others_may():
    rules = {**CLOSED, "sender": {"shop": {"kinds": ["outcome"]}}}
    assert why(rules, outcome(sender="shop")) is None
    assert why(rules, outcome(sender="shopping")) is Reason.NOT_ALLOWED
    assert guard(rules).refusal(outcome(sender="shopping"), AT)[1] == (
        "the sender 'shopping' ([others] of feedback.toml) may not send the kind outcome"
    )


def test_a_kind_that_the_entry_does_not_list_is_refused_by_its_name():
    rules = {"sender": {"shop": {"kinds": ["run", "change"]}}}
    reason, detail = guard(rules).refusal(outcome(sender="shop"), AT)
    assert reason is Reason.NOT_ALLOWED
    assert detail == "the sender 'shop' ([sender.shop] of feedback.toml) may not send the kind outcome"
    common: dict[str, Any] = {
        "source": "ci",
        "external_id": "1",
        "service": "shop-web",
        "names": ["run/1"],
        "at": AT,
        "sender": "shop",
    }
    assert why(rules, PipelineRun(status="failed", **common)) is None
    assert why(rules, ChangeMerged(**common)) is None
    corrected = AttributionCorrected(source="pager", external_id="1", service="shop-web", by="eve", at=AT)
    assert why({"sender": {"pager": {"kinds": ["incident"]}}}, corrected) is Reason.NOT_ALLOWED


def test_an_event_without_a_sender_is_judged_by_its_source():
    rules = {**CLOSED, "sender": {"github": {"names": ["https://github.com/shop/*"]}}}
    assert why(rules, outcome(source="https://github.com/shop/till")) is None
    assert why(rules, outcome(source="https://github.com/thief/till")) is Reason.NOT_ALLOWED
    assert why(rules, judgement()) is Reason.NOT_ALLOWED


@pytest.mark.parametrize(("service", "allowed"), [("shop-web", True), ("till", False), ("", False)])
def test_services_bound_what_a_sender_may_speak_of(service, allowed):
    rules = {"sender": {"ci": {"services": ["shop-*"]}}}
    refused = guard(rules).refusal(outcome(service=service, scope="shop"), AT)
    assert (refused is None) == allowed
    assert guard(rules).binds(outcome())


def test_agents_bound_judgements_alone_and_services_do_not():
    rules = {"sender": {"ada": {"services": ["till"], "agents": ["review-*"]}}}
    assert why(rules, judgement(sender="ada", agent="review-bot")) is None
    assert why(rules, judgement(sender="ada", agent="vigia.risk")) is Reason.NOT_ALLOWED
    assert why(rules, incident(sender="ada", service="till")) is None


def test_the_first_entry_that_matches_judges():
    rules = {"sender": {"shop-ci": {"kinds": ["run"]}, "all": {"names": ["shop-*"]}}}
    assert why(rules, outcome(sender="shop-ci")) is Reason.NOT_ALLOWED
    assert why(rules, outcome(sender="shop-people")) is None


def test_records_from_before_the_rules_are_not_judged():
    rules = {**CLOSED, "since": datetime.fromtimestamp(AT, UTC)}
    assert why(rules, outcome(), at=AT - 1) is None
    assert why(rules, outcome(), at=AT) is Reason.NOT_ALLOWED


@pytest.mark.parametrize(
    "name",
    [
        "x" * 200,
        "*" * 200,
        "[" * 200,
        "[!x]*" * 40,
        "others",
        "[others]",
        "sender.shop",
        "shop",
        "../../shop",
        "shop-\u0441i",
    ],
)
def test_a_hostile_name_is_only_a_name(name):
    rules = {**CLOSED, "sender": {"shop-ci": {"names": ["*a*b*c*d*e*f*g*h*", "shop-[a-z]*"]}}}
    started = time.perf_counter()
    assert why(rules, outcome(sender=name)) is Reason.NOT_ALLOWED
    assert time.perf_counter() - started < 1.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"senders": {}}, "unknown field `senders`"),
        ({"sender": {"ci": {"kind": ["run"]}}}, "unknown field `kind`"),
        ({"sender": {"ci": {"kinds": ["praise"]}}}, "Invalid enum value 'praise'"),
        ({"sender": {"ci": {"a_day": 0}}}, ">= 1"),
        ({"sender": {"ci": {"services": []}}}, "length >= 1"),
        ({"sender": {"x" * 101: {}}}, "length <= 100"),
        ({"sender": {**OWN, "ci": {"keys": [{"variable": "not a name"}]}}}, "matching regex"),
        ({"sender": {**OWN, "ci": {"keys": [{"variable": "KEY", "secret": "x"}]}}}, "unknown field `secret`"),
        ({"sender": {"vigia": {"a_day": 5}}}, "it can only have keys"),
        ({"sender": {"ci": {"keys": [{"variable": "NEW_KEY"}]}}}, r"\[sender.vigia\] has no keys"),
        ({"others": {"keys": []}}, "unknown field `keys`"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_their_place(content, said):
    with pytest.raises(RulesError, match=rf"feedback\.toml: .*{said}"):
        parse_rules(content, "feedback.toml")
