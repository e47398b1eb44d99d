"""Payloads with all the fields that the tools document: payload, headers -> events."""

import base64
from typing import Any

import pytest

from tests.unit.events.formats.documented_github import (
    API,
    BOT,
    COMMON,
    PERSON,
    SHA,
    WEB,
    WORKFLOW,
    deployment,
    run,
    status,
    webhook,
)
from tests.unit.events.formats.documented_others import alert, cdevent, exported, notification
from tests.unit.events.formats.payloads import encoded, translated
from vigia.events.deployments import Deployment
from vigia.events.feedback import ChangeMerged, IncidentOpened, IncidentResolved, Outcome, PipelineRun
from vigia.events.formats.reading import Headers
from vigia.events.invalid import Invalid, Reason
from vigia.events.samples import Sample
from vigia.topics import DEPLOYMENTS

ARRIVED = 1_775_719_800.0
"""2026-04-09T07:30:00Z."""

RUN, COMMIT = f"{WEB}/actions/runs/7001", f"{WEB}/commit/{SHA}"
CHAIN = ["chain/9a5c7e10-41f7-4a6e-8f0f-6f0a3f1f2b77"]
GITHUB: dict[str, Any] = {"source": WEB, "external_id": "80331", "service": "tide-tables", "version": SHA}
IN_PRODUCTION = GITHUB | {"environment": "production"}
UNNEEDED = [(Invalid, {"reason": Reason.UNKNOWN_TYPE, "unneeded": True})]
ENVIRONMENT = {"id": "production", "source": "/cluster/harbour"}
OUTCOME = {"source": WEB, "external_id": "80331", "service": "tide-tables", "failed": True, "label": "intervention"}

Expected = list[tuple[type[Any], dict[str, Any]]]


def firing(service: str, severity: str = "P2") -> Expected:
    about = {"service": service, "environment": "production"}
    return [(IncidentOpened, about | {"severity": severity}), (Sample, about | {"value": 1.0})]


def resolved(service: str, at: float) -> Expected:
    return [(IncidentResolved, {"service": service, "at": at}), (Sample, {"service": service, "ts": at, "value": 0.0})]


def event(name: str) -> Headers:
    return [
        ("X-GitHub-Event", name.encode()),
        ("X-GitHub-Delivery", b"72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("X-Hub-Signature-256", b"sha256=00"),
        ("content-type", b"application/json"),
    ]


def binary(kind: str, **attributes: str) -> Headers:
    found = {"specversion": "1.0", "id": "e-77", "source": WEB, "type": kind} | attributes
    return [("content-type", b"application/json"), *((f"ce_{name}", text.encode()) for name, text in found.items())]


BY_RUN = {"workflow": WORKFLOW, "workflow_run": run("push", "in_progress", None)}
BY_NONE = {"workflow": None, "workflow_run": None}

TABLE: dict[str, tuple[dict[str, Any], Headers, Expected]] = {
    # GitHub
    "a deployment of a workflow": (
        webhook("created", deployment=deployment(), **BY_RUN),
        event("deployment"),
        [(Deployment, IN_PRODUCTION | {"stage": "planned", "runs": [RUN]})],
    ),
    "a deployment through the API": (
        webhook("created", deployment=deployment("prod-eu", payload='{"by": "cron"}', task="deploy:hot"), **BY_NONE),
        [],
        [(Deployment, IN_PRODUCTION | {"stage": "planned", "runs": [COMMIT]})],
    ),
    "a deployment of Vercel": (
        webhook("created", deployment=deployment("Production \u2013 tide-tables", creator=BOT), **BY_NONE),
        event("deployment"),
        [(Deployment, IN_PRODUCTION)],
    ),
    "a preview of Vercel": (
        webhook(
            "created",
            deployment=deployment("Preview \u2013 tide-tables", transient_environment=True),
            deployment_status=status("success", "Preview \u2013 tide-tables", creator=BOT),
            check_run=None,
            **BY_NONE,
        ),
        event("deployment_status"),
        [(Deployment, GITHUB | {"environment": "Preview \u2013 tide-tables", "status": "succeeded"})],
    ),
    "a deployment that went well": (
        webhook(
            "created",
            deployment=deployment(),
            deployment_status=status("success"),
            check_run={"id": 88, "name": "ship", "status": "completed", "conclusion": "success"},
            **BY_RUN,
        ),
        event("deployment_status"),
        [(Deployment, IN_PRODUCTION | {"stage": "finished", "status": "succeeded", "runs": [RUN]})],
    ),
    "a deployment that waits for a person": (
        webhook("created", deployment=deployment(), deployment_status=status("waiting"), **BY_RUN),
        [],
        [(Deployment, IN_PRODUCTION | {"stage": "planned", "at": 1775715270.0})],
    ),
    "a deployment that another replaced": (
        webhook("created", deployment=deployment(), deployment_status=status("inactive"), **BY_NONE),
        [],
        [(Deployment, IN_PRODUCTION | {"stage": "planned", "at": 1775715000.0})],
    ),
    "a run that a push caused": (
        webhook("completed", workflow=WORKFLOW, workflow_run=run("push", "completed", "failure")),
        event("workflow_run"),
        [(PipelineRun, {"external_id": "7001", "status": "failed", "names": [RUN, COMMIT], "pipeline": "6112"})],
    ),
    "a run of a workflow that is gone": (
        webhook("completed", workflow=None, workflow_run=run("merge_group", "completed", "success")),
        [],
        [(PipelineRun, {"status": "succeeded", "names": [RUN, COMMIT], "pipeline": "6112"})],
    ),
    "a run of a pull request": (
        webhook("requested", workflow=WORKFLOW, workflow_run=run("pull_request", "queued", None)),
        event("workflow_run"),
        [(PipelineRun, {"status": "queued", "names": [RUN]})],
    ),
    "a push": (
        {"ref": "refs/heads/main", "before": "0" * 40, "after": SHA, "created": False, "commits": [], "pusher": {}}
        | COMMON,
        event("push"),
        UNNEEDED,
    ),
    "a pull request": (
        webhook("opened", number=7, pull_request={"id": 1, "state": "open", "user": PERSON, "url": f"{API}/pulls/7"}),
        [],
        UNNEEDED,
    ),
    "a check suite": (webhook("completed", check_suite={"id": 31, "conclusion": "success"}), [], UNNEEDED),
    "a job of a workflow": (
        webhook("completed", workflow_job={"id": 1, "run_id": 7001, "steps": []}, deployment=deployment()),
        [],
        UNNEEDED,
    ),
    "a review of a deployment": (
        webhook("requested", environment="production", reviewers=[], workflow_run=run("push", "waiting", None)),
        [],
        UNNEEDED,
    ),
    # Alertmanager
    "a deployment without its replicas": (
        notification(
            alert("firing", exported("KubeDeploymentReplicasMismatch", namespace="harbour", deployment="tides"))
        ),
        [],
        firing("tides"),
    ),
    "a pod that crashes": (
        notification(
            alert(
                "firing",
                exported(
                    "KubePodCrashLooping",
                    namespace="harbour",
                    pod="tides-6c8f7b5d49-t9zxq",
                    container="istio-proxy",
                    reason="CrashLoopBackOff",
                    uid="a3",
                ),
            )
        ),
        [],
        firing("tides"),
    ),
    "a set whose update is stuck, resolved": (
        notification(
            alert(
                "resolved",
                exported("KubeStatefulSetUpdateNotRolledOut", namespace="harbour", statefulset="tides-db"),
                "2026-04-09T07:20:12.345Z",
            ),
            status="resolved",
        ),
        [],
        resolved("tides-db", 1775719212.345),
    ),
    "an alert that ended nobody knows when": (
        notification(alert("resolved", {"alertname": "TidesLate", "service": "tides"}), status="resolved"),
        [],
        resolved("tides", ARRIVED),
    ),
    "an alert that will end without news": (
        notification(alert("firing", {"alertname": "TidesLate", "service": "tides"}, "2026-04-09T07:34:00Z")),
        [],
        firing("tides"),
    ),
    "an alert that does not say whether it fires": (
        notification(alert(None, {"alertname": "TidesLate", "service": "tides"}, "2026-04-09T07:34:00Z")),
        [],
        firing("tides"),
    ),
    "an alert with the names of OpenTelemetry": (
        notification(
            alert(
                "firing",
                {
                    "alertname": "TidesSlow",
                    "service": "tides",
                    "deployment_environment_name": "prod-eu",
                    "severity": "page",
                },
            )
        ),
        [],
        firing("tides", severity="P1"),
    ),
    "a watchdog": (
        notification(alert("firing", {"alertname": "Watchdog", "severity": "none", "stage": "staging"})),
        [],
        [(Sample, {"service": "Watchdog", "environment": "staging"})],
    ),
    "two alerts of one group": (
        notification(
            alert("firing", {"alertname": "TargetDown", "job": "tides", "namespace": "harbour", "service": "tides"}),
            alert("resolved", {"alertname": "TargetDown", "job": "moons"}, "2026-04-09T07:20:00Z"),
        ),
        [],
        [*firing("tides"), *resolved("moons", 1775719200.0)],
    ),
    # CDEvents
    "a service of CDEvents 0.4": (
        cdevent(
            "service.deployed.0.2.0", "0.4.1", {"environment": ENVIRONMENT, "artifactId": "pkg:oci/tides@sha256%3A0b31"}
        ),
        [],
        [
            (
                Deployment,
                {"service": "tide-tables", "environment": "production", "version": "sha256:0b31", "runs": CHAIN},
            )
        ],
    ),
    "a rollback of CDEvents 0.5": (
        cdevent(
            "service.rolledback.0.3.0", "0.5.0", {"environment": {"id": "Prod"}, "artifactId": "pkg:npm/@harbour/tides"}
        ),
        [],
        [(Deployment, {"kind": "rollback", "environment": "production", "version": "pkg:npm/@harbour/tides"})],
    ),
    "an incident of CDEvents 0.5": (
        cdevent(
            "incident.reported.0.3.0",
            "0.5.1",
            {
                "description": "Tides are late",
                "environment": ENVIRONMENT,
                "service": {"id": "tides", "source": "/cluster/harbour"},
                "artifactId": "pkg:oci/tides@sha256%3A0b31",
                "ticketURI": "https://tickets.example/HARBOUR-7",
            },
            "incident-7",
        ),
        [],
        [
            (
                IncidentOpened,
                {"external_id": "incident-7", "service": "tides", "links": ["https://tickets.example/HARBOUR-7"]},
            )
        ],
    ),
    "a change of CDEvents 0.4": (
        cdevent(
            "change.merged.0.2.0",
            "0.4.0",
            {"description": "Round", "repository": {"id": "harbour/tides", "source": "/git"}},
        ),
        [],
        [(ChangeMerged, {"service": "harbour/tides", "external_id": "tide-tables", "names": CHAIN})],
    ),
    "a pipeline's run of CDEvents 0.5": (
        cdevent(
            "pipelinerun.finished.0.3.0",
            "0.5.0",
            {"pipelineName": "ship", "uri": "https://ci.example/7", "outcome": "error", "errors": "out of disk"},
            "run-7",
        ),
        [],
        [
            (
                PipelineRun,
                {"external_id": "run-7", "service": "ship", "pipeline": "ship", "status": "failed", "names": CHAIN},
            )
        ],
    ),
    "a task's run of CDEvents 0.5": (
        cdevent("taskrun.started.0.3.0", "0.5.0", {"taskName": "lint", "pipelineRun": {"id": "run-7"}}),
        [],
        UNNEEDED,
    ),
    # CloudEvents
    "a CDEvent in structured mode": (
        {
            "specversion": "1.0",
            "id": "0f2b8c64",
            "source": "/argocd/harbour",
            "type": "dev.cdevents.service.upgraded.0.3.0",
            "subject": "tide-tables",
            "time": "2026-04-09T06:20:00.5Z",
            "datacontenttype": "application/json",
            "dataschema": None,
            "data_base64": None,
            "data": cdevent("service.upgraded.0.3.0", "0.5.0", {"environment": ENVIRONMENT, "artifactId": "1.2.3"}),
        },
        [("content-type", b"application/cloudevents+json; charset=UTF-8")],
        [(Deployment, {"service": "tide-tables", "version": "1.2.3"})],
    ),
    "GitHub through Knative": (
        webhook("created", deployment=deployment(), deployment_status=status("failure"), **BY_NONE),
        binary("dev.knative.source.github.deployment_status", subject="80331", time="2026-04-09T06:14:31Z"),
        [(Deployment, IN_PRODUCTION | {"status": "failed"})],
    ),
    "what nobody needs through Knative": (
        webhook("created", issue={"id": 1}, comment={"id": 2}),
        binary("dev.knative.source.github.issue_comment"),
        UNNEEDED,
    ),
    "base64 in structured mode": (
        {
            "specversion": "1.0",
            "id": "e-78",
            "source": WEB,
            "type": "com.github.deployment.created",
            "data": None,
            "data_base64": base64.b64encode(encoded(webhook("created", deployment=deployment(), **BY_NONE))).decode(),
        },
        [],
        [(Deployment, IN_PRODUCTION)],
    ),
    "an event of ours behind a reversed domain": (
        OUTCOME | {"at": "2026-04-09T09:00:00+02:00"},
        binary("works.harbour.deployment.outcome.v1", partitionkey="tides-team"),
        [(Outcome, OUTCOME | {"scope": "tides-team", "at": 1775718000.0})],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_documented_payload_is_its_events(name):
    body, headers, expected = TABLE[name]
    found = translated(encoded(body), headers, ARRIVED)
    assert [type(each) for each in found] == [kind for kind, _ in expected]
    for each, (_, fields) in zip(found, expected, strict=True):
        assert {field: getattr(each, field) for field in fields} == fields
    assert DEPLOYMENTS.decode(encoded(body), headers, ARRIVED) == found
