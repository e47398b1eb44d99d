"""CloudEvents on Kafka: structured and binary mode, what may be inside, and the keys and ids of the envelope."""

import pytest

from tests.unit.events.formats.payloads import (
    base64_of,
    cdevent,
    ce_headers,
    cloudevent,
    encoded,
    github_deployment,
    notification,
    translated,
)
from vigia.events.deployments import Deployment
from vigia.events.feedback import Outcome
from vigia.events.formats import translate
from vigia.events.invalid import Invalid, Reason
from vigia.events.samples import Sample
from vigia.topics import DEPLOYMENTS, METRICS

OWN = {"type": "deployment", "source": "ci", "external_id": "1", "service": "shop", "stage": "started", "at": 1.0}
STRUCTURED = [("Content-Type", b"application/cloudevents+json; charset=UTF-8")]


def one(body, headers=()):
    (event,) = translated(encoded(body), headers)
    return event


def test_both_modes_say_the_same():
    bare = one(cdevent())
    assert one(cdevent(), ce_headers(type="dev.cdevents.service.deployed.0.3.0")) == bare
    assert one(cloudevent(cdevent())) == bare
    assert one(cloudevent(cdevent()), STRUCTURED) == bare
    wrapped = cloudevent(None) | {"data_base64": base64_of(cdevent())}
    del wrapped["data"]
    assert one(wrapped) == bare


def test_headers_of_the_binary_mode_beside_a_structured_value_change_nothing():
    assert one(cloudevent(OWN), ce_headers()[:-1] + STRUCTURED) == one(cloudevent(OWN))


def test_other_formats_come_in_an_envelope_too():
    assert one(cloudevent(github_deployment())).external_id == "42"
    assert one(cloudevent(notification({}))).reason is Reason.MISSING_FIELD


def test_an_event_of_ours_gets_its_id_from_the_envelope():
    first, again = one(OWN, ce_headers()), one(cloudevent(OWN))
    assert first == again
    assert isinstance(first, Deployment)
    assert first.event_id
    assert one(OWN, ce_headers(id="e-2")).event_id != first.event_id
    assert one(OWN, ce_headers(source="/other")).event_id != first.event_id
    assert one(OWN | {"event_id": "mine"}, ce_headers()).event_id == "mine"


def test_the_envelope_may_name_the_type_of_an_event_of_ours():
    data = {name: value for name, value in OWN.items() if name != "type"}
    assert isinstance(one(cloudevent(data, type="deployment")), Deployment)
    outcome = {"source": "ci", "external_id": "1", "service": "shop", "failed": True, "label": "defect", "at": 1.0}
    assert isinstance(one(outcome, ce_headers(type="deployment.outcome")), Outcome)


@pytest.mark.parametrize(
    "kind",
    [
        "deployment.outcome",
        "com.acme.deployment.outcome",
        "dev.vigia.deployment.outcome.v1",
        "x.deployment.outcome.1.0.2",
    ],
)
def test_a_reversed_domain_and_a_version_around_a_type_of_ours_are_its_senders(kind):
    outcome = {"source": "ci", "external_id": "1", "service": "shop", "failed": True, "label": "defect", "at": 1.0}
    assert isinstance(one(cloudevent(outcome, type=kind)), Outcome)
    assert isinstance(one(outcome, ce_headers(type=kind)), Outcome)
    assert isinstance(one(cloudevent(outcome | {"type": None}, type=kind)), Outcome)


@pytest.mark.parametrize("kind", ["com.acme.mydeployment", "com.acme.deployment.thing", "outcome", "v1", ".", "1.0"])
def test_what_only_looks_like_a_type_of_ours_is_none(kind):
    data = {name: value for name, value in OWN.items() if name != "type"}
    assert one(cloudevent(data, type=kind)).reason is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize("name", ["data_base64", "datacontenttype", "partitionkey", "subject", "time"])
def test_an_attribute_that_is_null_is_not_set(name):
    assert one(cloudevent(OWN) | {name: None}) == one(cloudevent(OWN))
    assert one(cloudevent(None) | {"data_base64": base64_of(OWN)}) == one(cloudevent(OWN))


def test_a_sample_may_come_in_an_envelope_and_then_repeats_are_recognised():
    event = one({"service": "shop", "metric": "latency", "ts": 1.0, "value": 2.0}, ce_headers())
    assert isinstance(event, Sample)
    assert event.event_id


def test_the_partition_key_is_the_scope_of_an_event_without_one():
    assert one(cloudevent(OWN, partitionkey="payments")).scope == "payments"
    assert one(cdevent(), ce_headers(partitionkey="payments")).scope == "payments"
    assert one(cloudevent(OWN | {"scope": "shop"}, partitionkey="payments")).scope == "shop"
    refused = one(cloudevent(OWN, partitionkey="a\x00b"))
    assert (refused.reason, "scope" in refused.detail) == (Reason.BAD_NAME, True)


def test_a_type_that_nobody_knows_is_refused_by_name():
    for body, headers in (
        (cloudevent({"a": 1}, type="com.acme.thing"), ()),
        ({"a": 1}, ce_headers(type="com.acme.thing")),
    ):
        refused = one(body, headers)
        assert refused.reason is Reason.UNKNOWN_TYPE
        assert "com.acme.thing" in refused.detail


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"specversion": "0.3"}, Reason.BAD_VALUE, "specversion"),
        ({"id": ""}, Reason.MISSING_FIELD, "id"),
        ({"datacontenttype": "application/xml"}, Reason.BAD_VALUE, "datacontenttype"),
        ({"data": "text"}, Reason.WRONG_TYPE, "data"),
        ({"data": None}, Reason.WRONG_TYPE, "data"),
        ({"data_base64": "%%%"}, Reason.BAD_VALUE, "data_base64"),
        ({"data_base64": "YWJj"}, Reason.WRONG_TYPE, "data_base64"),
        ({"id": "x" * 5_000}, Reason.TOO_LARGE, "id"),
        ({"partitionkey": 7}, Reason.WRONG_TYPE, "partitionkey"),
        ({"data": OWN | {"at": "soon"}}, Reason.BAD_TIME, "at"),
        ({"data": OWN | {"stage": "lost"}}, Reason.BAD_VALUE, "stage"),
    ],
)
def test_what_is_wrong_with_an_envelope_is_named(change, reason, field):
    refused = one(cloudevent(OWN) | change)
    assert refused.reason is reason
    assert field in refused.detail
    assert refused.body == encoded(cloudevent(OWN) | change)


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "text/json", "a/b+json"])
def test_media_types_of_json_are_taken(media):
    assert isinstance(one(cloudevent(OWN, datacontenttype=media)), Deployment)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (ce_headers(specversion="0.3"), Reason.BAD_VALUE),
        ([*ce_headers()[1:], ("ce_specversion", b"\xff")], Reason.WRONG_TYPE),
        ([("ce_specversion", b"1.0")], Reason.MISSING_FIELD),
        ([("ce_specversion", None)], Reason.MISSING_FIELD),
        ([*ce_headers()[:-1], ("content-type", b"application/avro")], Reason.BAD_VALUE),
        ([("content-type", b"application/cloudevents+avro")], Reason.BAD_VALUE),
        ([("content-type", b"application/cloudevents-batch+json")], Reason.BAD_VALUE),
    ],
)
def test_bad_headers_refuse_the_record_on_the_topic(headers, reason):
    (refused,) = DEPLOYMENTS.decode(encoded(OWN), headers)
    assert isinstance(refused, Invalid)
    assert refused.reason is reason


def test_a_value_that_is_no_object_is_refused_when_headers_announce_one():
    for value in (b"\x00avro", b"[]", b"{"):
        (refused,) = translated(value, ce_headers())
        assert (refused.reason, refused.body) == (Reason.WRONG_TYPE, value)


def test_an_envelope_in_an_envelope_is_not_opened():
    assert one(cloudevent(cloudevent(OWN))).reason is Reason.UNKNOWN_TYPE


def test_what_has_no_envelope_and_is_ours_is_left_to_the_topic():
    assert translate(encoded(OWN)) is None
    assert translate(b"[1]") is None
    assert DEPLOYMENTS.decode(encoded(OWN), [("trace", b"1")]) == DEPLOYMENTS.decode(encoded(OWN))
    (refused,) = METRICS.decode(b'{"service": "shop"}')
    assert isinstance(refused, Invalid)
    assert refused.reason is Reason.MISSING_FIELD
