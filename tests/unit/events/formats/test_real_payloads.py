"""Real payloads of other tools, which are not in this repository (REAL_DATA_DIR says where they are): file -> event."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.events.formats.payloads import translated
from vigia.events.deployments import Deployment
from vigia.events.feedback import ChangeMerged, IncidentOpened, IncidentResolved, PipelineRun
from vigia.events.invalid import Invalid, Reason
from vigia.topics import DEPLOYMENTS, FEEDBACK, METRICS

EVENTS = Path(os.environ.get("REAL_DATA_DIR", "../shared/data")) / "events"
IMAGE = "sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"
SHA = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
CHAIN = ["chain/4c8cb7dd-3448-41de-8768-eec704e2829b"]
SERVICE = {
    "service": "mySubject123",
    "environment": "test123",
    "stage": "finished",
    "status": "succeeded",
    "runs": CHAIN,
}
INCIDENT = {"source": "/monitoring/prod1", "external_id": "incident-123", "service": "myApp", "environment": "prod1"}
GITHUB = {
    "source": "https://github.com/Codertocat/Hello-World",
    "external_id": "145988746",
    "service": "Hello-World",
    "environment": "production",
    "version": SHA,
    "runs": [f"https://github.com/Codertocat/Hello-World/commit/{SHA}"],
}
UNKNOWN = (Invalid, {"reason": Reason.UNKNOWN_TYPE})

TABLE: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "cdevents/approval_closed": UNKNOWN,
    "cdevents/approval_created": UNKNOWN,
    "cdevents/approval_updated": UNKNOWN,
    "cdevents/change_merged": (ChangeMerged, {"service": "TestRepo/TestOrg", "names": CHAIN}),
    "cdevents/incident_detected": (IncidentOpened, INCIDENT | {"title": "Response time above threshold of 100ms"}),
    "cdevents/incident_reported": (
        IncidentOpened,
        INCIDENT | {"links": ["https://my-issues.example/incidents/ticket-345"], "severity": "P2"},
    ),
    "cdevents/incident_resolved": (IncidentResolved, INCIDENT),
    "cdevents/pipelinerun_finished": (PipelineRun, {"service": "myPipeline", "status": "failed", "names": CHAIN}),
    "cdevents/service_deployed": (Deployment, SERVICE | {"kind": "deployment", "version": IMAGE}),
    "cdevents/service_published": (Deployment, SERVICE | {"kind": "publication", "version": ""}),
    "cdevents/service_removed": (Deployment, SERVICE | {"kind": "removal"}),
    "cdevents/service_rolledback": (Deployment, SERVICE | {"kind": "rollback", "version": IMAGE}),
    "cdevents/service_upgraded": (Deployment, SERVICE | {"kind": "deployment", "version": IMAGE}),
    "github/deployment": (Deployment, GITHUB | {"stage": "planned", "at": 1557933653.0}),
    "github/deployment_status": (
        Deployment,
        GITHUB | {"stage": "finished", "status": "succeeded", "at": 1557933655.0},
    ),
    "github/workflow_run_completed": (
        PipelineRun,
        {"service": "octo-repo", "external_id": "289782451", "status": "succeeded", "at": 1601915629.0},
    ),
}

with_data = pytest.mark.skipif(not EVENTS.is_dir(), reason=f"no payloads at {EVENTS}: set REAL_DATA_DIR")


@with_data
def test_the_table_has_every_file():
    assert {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.glob("*/*.json")} == set(TABLE)


@with_data
@pytest.mark.parametrize("name", TABLE)
def test_a_payload_is_its_event(name):
    kind, fields = TABLE[name]
    value = (EVENTS / f"{name}.json").read_bytes()
    (event,) = translated(value)
    assert type(event) is kind
    assert {field: getattr(event, field) for field in fields} == fields
    for topic in (DEPLOYMENTS, FEEDBACK, METRICS):
        assert topic.decode(value) == [event]
