"""CDEvents 0.4 to 0.6: which event each is, and why others are refused."""

import pytest

from tests.unit.events.formats.payloads import CHAIN, IMAGE, cdevent, encoded, translated
from vigia.events.catalog import UNASSIGNED
from vigia.events.deployments import Deployment
from vigia.events.feedback import ChangeMerged, IncidentOpened, IncidentResolved, PipelineRun
from vigia.events.invalid import Reason

INCIDENT = {"description": "slow", "environment": {"id": "prod"}, "service": {"id": "shop"}}


def one(body):
    (event,) = translated(encoded(body))
    return event


@pytest.mark.parametrize("version", ["0.4.0", "0.4.1", "0.5.0", "0.5.1", "0.6.0-draft", "0.6.0"])
@pytest.mark.parametrize(
    ("kind", "content", "made"),
    [
        ("service.deployed", None, Deployment),
        ("service.upgraded", None, Deployment),
        ("service.rolledback", None, Deployment),
        ("service.removed", None, Deployment),
        ("service.published", None, Deployment),
        ("incident.detected", INCIDENT, IncidentOpened),
        ("incident.reported", INCIDENT, IncidentOpened),
        ("incident.resolved", INCIDENT, IncidentResolved),
        ("change.merged", {"repository": {"id": "acme/shop"}}, ChangeMerged),
        ("pipelinerun.finished", {"pipelineName": "deploy", "outcome": "success"}, PipelineRun),
    ],
)
def test_each_type_of_each_version_is_an_event(version, kind, content, made):
    event = one(cdevent(kind, version, content))
    assert type(event) is made
    assert event.at == 1774016825.315384


@pytest.mark.parametrize("version", ["0.3.0", "0.7.0", "1.0", "0.5", "0.5.0\n"])
def test_another_version_is_refused_by_name(version):
    refused = one(cdevent(version=version))
    assert refused.reason is Reason.BAD_VALUE
    assert "context.specversion" in refused.detail


@pytest.mark.parametrize("kind", ["build.finished", "pipelinerun.started", "service.exploded", "incident.closed"])
def test_another_type_is_unknown_and_the_detail_says_which_are_known(kind):
    refused = one(cdevent(kind))
    assert refused.reason is Reason.UNKNOWN_TYPE
    assert kind in refused.detail
    assert "pipelinerun.finished" in refused.detail


def test_a_custom_event_is_unknown():
    assert one(cdevent(type="dev.cdeventsx.acme-tool.happened.0.1.0")).reason is Reason.UNKNOWN_TYPE


def test_two_types_under_one_id_are_two_events():
    ids = {one(cdevent(f"service.{word}")).identity for word in ("deployed", "upgraded", "published")}
    assert len(ids) == 3


def test_each_deployment_of_a_service_is_one_of_its_own():
    first, second = one(cdevent(id="1")), one(cdevent(id="2"))
    assert first.deployment_id != second.deployment_id
    assert first.runs == second.runs == [f"chain/{CHAIN}"]


@pytest.mark.parametrize(
    ("artifact", "version"),
    [
        (IMAGE, "sha256:0b31b1c02ff4"),
        ("pkg:npm/%40acme/shop@1.2.3#dist", "1.2.3"),
        ("pkg:generic/shop", "pkg:generic/shop"),
        ("pkg:npm/@acme/shop", "pkg:npm/@acme/shop"),
        ("pkg:npm/@acme/shop@1.2.3", "1.2.3"),
        ("pkg:npm/%40acme/shop", "pkg:npm/%40acme/shop"),
        ("pkg:npm/shop@", "pkg:npm/shop@"),
        ("pkg:generic/shop@release/7", "release/7"),
        ("0b31b1c0", "0b31b1c0"),
        ("", ""),
    ],
)
def test_the_version_is_that_of_the_package(artifact, version):
    assert one(cdevent(content={"environment": {"id": "p"}, "artifactId": artifact})).version == version


def test_a_version_too_long_for_a_name_is_still_told_from_others():
    made = {one(cdevent(content={"environment": {"id": "p"}, "artifactId": "x" * 300 + end})).version for end in "ab"}
    assert {len(version) for version in made} == {32}
    assert len(made) == 2


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("success", "succeeded"), ("failure", "failed"), ("error", "failed"), ("cancel", "cancelled"), (None, "unknown")],
)
def test_how_a_run_ended(outcome, status):
    content = {"pipelineName": "deploy"} | ({} if outcome is None else {"outcome": outcome})
    assert one(cdevent("pipelinerun.finished", content=content)).status == status


def test_a_run_without_a_chain_is_known_to_no_deployment():
    assert one(cdevent("pipelinerun.finished", content={"outcome": "success"}, chain="")).names == []


def test_an_incident_without_a_service_is_nobodys():
    event = one(cdevent("incident.detected", content={"environment": {"id": "prod"}}))
    assert (event.service, event.scope) == ("", UNASSIGNED)


@pytest.mark.parametrize(("word", "severity"), [("critical", "P1"), ("low", "P3"), ("what", "P2"), (7, "P2")])
def test_the_severity_is_a_custom_one(word, severity):
    body = cdevent("incident.reported", content=INCIDENT) | {"customData": {"severity": word}}
    assert one(body).severity == severity
    assert one(body | {"customData": "P0"}).severity == "P2"


@pytest.mark.parametrize("offset", ["+0200", "+02:00"])
def test_an_offset_may_lack_its_colon(offset):
    assert one(cdevent(timestamp="2026-03-20T16:27:05.315384" + offset)).at == 1774016825.315384
    assert one(cdevent(timestamp="2026-03-20T16:27:05" + offset)).at == 1774016825.0


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"timestamp": "2026-03-20 14:27"}, Reason.BAD_TIME, "context.timestamp"),
        ({"timestamp": "1900-01-01T00:00:00Z"}, Reason.NEGATIVE_TIME, "context.timestamp"),
        ({"timestamp": 1774016825}, Reason.WRONG_TYPE, "context.timestamp"),
        ({"timestamp": "2026-03-20T14:27:05+000"}, Reason.BAD_TIME, "context.timestamp"),
        ({"timestamp": "2026-03-20T14:27:05+9900"}, Reason.BAD_TIME, "context.timestamp"),
        ({"timestamp": ""}, Reason.MISSING_FIELD, "context.timestamp"),
        ({"id": None}, Reason.MISSING_FIELD, "context.id"),
        ({"source": ["a"]}, Reason.WRONG_TYPE, "context.source"),
        ({"chain": 7}, Reason.WRONG_TYPE, "context.chainId"),
        ({"chain": "a\x00b"}, Reason.BAD_NAME, "runs"),
        ({"source": "x" * 300}, Reason.BAD_NAME, "source"),
    ],
)
def test_what_is_wrong_is_named(change, reason, field):
    refused = one(cdevent(**change))
    assert refused.reason is reason
    assert field in refused.detail


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, Reason.MISSING_FIELD),
        ({"environment": {}}, Reason.MISSING_FIELD),
        ({"environment": "production"}, Reason.WRONG_TYPE),
        ({"environment": {"id": "a\x1b[2J"}}, Reason.BAD_NAME),
        ([], Reason.WRONG_TYPE),
    ],
)
def test_a_deployment_needs_its_environment(content, reason):
    refused = one(cdevent(content=content))
    assert refused.reason is reason
    assert "environment" in refused.detail or "subject.content" in refused.detail
