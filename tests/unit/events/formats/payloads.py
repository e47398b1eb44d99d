"""Payloads as the tools send them, cut to the fields that matter and one or two that do not."""

import base64
import json
from typing import Any

from vigia.events.formats import translate
from vigia.events.formats.reading import Headers

CHAIN = "4c8cb7dd-3448-41de-8768-eec704e2829b"
IMAGE = "pkg:oci/shop@sha256%3A0b31b1c02ff4?repository_url=reg.example.com"
REPOSITORY = {"id": 7, "name": "shop", "full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
SENDER = {"login": "ada", "id": 1}
SHA = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"


def encoded(body):
    return json.dumps(body).encode()


def translated(value: bytes, headers: Headers = (), received_at: float | None = None) -> list[Any]:
    """What a payload means; it must be one that is understood, or refused with a reason."""
    found = translate(value, headers, received_at)
    assert found is not None
    return list(found)


def cdevent(kind="service.deployed", version="0.5.0", content=None, subject="shop", chain=CHAIN, **context):
    """A CDEvent; 0.4 calls its version `version` and tells the subject's type."""
    old = version.startswith("0.4")
    context = {
        "version" if old else "specversion": version,
        "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
        "source": "/event/source/123",
        "type": f"dev.cdevents.{kind}.{'0.2.0' if old else '0.3.0'}",
        "timestamp": "2026-03-20T14:27:05.315384Z",
        "schemaUri": "https://acme.example/schema",
        "links": [{"linkType": "END", "from": {"contextId": "5328c37f"}}],
    } | context
    if chain != "":
        context["chainId"] = chain
    if content is None:
        content = {"environment": {"id": "production"}, "artifactId": IMAGE}
    inner = {"id": subject, "source": "/cluster/a", "content": content}
    return {"context": context, "subject": inner | ({"type": kind.split(".", maxsplit=1)[0]} if old else {})}


def cloudevent(data, **attributes):
    """A CloudEvent in structured mode."""
    return {"specversion": "1.0", "id": "e-1", "source": "/ci", "type": "x.y", "data": data} | attributes


def ce_headers(**attributes):
    """A CloudEvent's headers in Kafka's binary mode."""
    found = {"specversion": "1.0", "id": "e-1", "source": "/ci", "type": "x.y"} | attributes
    return [(f"ce_{name}", value.encode()) for name, value in found.items()] + [("content-type", b"application/json")]


def base64_of(body):
    return base64.b64encode(encoded(body)).decode()


def github_deployment(number=42, run=None, **fields):
    deployment = {
        "id": number,
        "sha": SHA,
        "ref": "main",
        "task": "deploy",
        "payload": {},
        "environment": "production",
        "created_at": "2026-05-15T15:20:53Z",
        "updated_at": "2026-05-15T15:20:53Z",
    } | fields
    linked = None if run is None else {"id": run, "name": "deploy", "head_sha": SHA}
    workflow = None if run is None else {"id": 1, "name": "deploy"}
    return {
        "action": "created",
        "deployment": deployment,
        "workflow": workflow,
        "workflow_run": linked,
        "repository": REPOSITORY,
        "sender": SENDER,
    }


def github_status(state, at, status_id, number=42, run=None, **fields):
    body = github_deployment(number, run, **fields)
    return body | {
        "deployment_status": {"id": status_id, "state": state, "environment": "production", "created_at": at},
        "check_run": {"id": 3} if run is not None else None,
    }


def github_run(
    run=900, action="completed", conclusion="success", at="2026-05-15T15:23:00Z", sha=SHA, workflow=1, event="push"
):
    return {
        "action": action,
        "workflow": {"id": workflow, "name": "deploy"},
        "workflow_run": {
            "id": run,
            "workflow_id": workflow,
            "event": event,
            "head_sha": sha,
            "status": action,
            "conclusion": conclusion if action == "completed" else None,
            "created_at": "2026-05-15T15:20:00Z",
            "updated_at": at,
        },
        "repository": REPOSITORY,
        "sender": SENDER,
    }


def alert(status="firing", began="2026-08-03T09:52:26.739266876+02:00", ended="0001-01-01T00:00:00Z", **labels):
    labels = {"alertname": "HighErrorRate", "service": "shop", "severity": "critical"} | labels
    return {
        "status": status,
        "labels": {name: value for name, value in labels.items() if value is not None},
        "annotations": {"summary": "5xx above 5 %", "runbook_url": "https://wiki.example/5xx"},
        "startsAt": began,
        "endsAt": ended,
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        "fingerprint": "1a30ba71cca2921f",
    }


def notification(*alerts, **fields):
    return {
        "receiver": "vigia",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
    } | fields
