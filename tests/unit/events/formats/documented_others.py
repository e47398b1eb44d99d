"""Payloads of Alertmanager and CDEvents with the fields that their documentation shows, and made-up values."""

from typing import Any

RULES = "https://runbooks.example/alerts"


def alert(status: str | None, labels: dict[str, str], ended: str | None = "0001-01-01T00:00:00Z") -> dict[str, Any]:
    found = {
        "status": status,
        "labels": {"cluster": "main", "severity": "warning"} | labels,
        "annotations": {
            "description": "It has been so for longer than 15 minutes.",
            "runbook_url": f"{RULES}/{labels['alertname'].lower()}",
            "summary": f"{labels['alertname']} fires.",
        },
        "startsAt": "2026-04-09T07:00:12.345Z",
        "endsAt": ended,
        "generatorURL": "http://metrics.monitoring.svc:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "fingerprint": "5b0c1d2e3f405162",
    }
    return {name: value for name, value in found.items() if value is not None}


def exported(alertname: str, **labels: str) -> dict[str, str]:
    """The labels of an alert on a metric of kube-state-metrics, as it is scraped from the exporter."""
    return {
        "alertname": alertname,
        "container": "kube-state-metrics",
        "endpoint": "http",
        "instance": "10.42.3.17:8080",
        "job": "kube-state-metrics",
        "namespace": "monitoring",
        "pod": "stack-kube-state-metrics-58b7c9d6f4-9xk7w",
        "service": "stack-kube-state-metrics",
    } | labels


def notification(*alerts: dict[str, Any], status: str = "firing", **fields: Any) -> dict[str, Any]:
    return {
        "receiver": "vigia/web.hook",
        "status": status,
        "alerts": list(alerts),
        "groupLabels": {"namespace": "harbour"},
        "commonLabels": {"severity": "warning"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.monitoring.svc:9093",
        "version": "4",
        "groupKey": '{}/{severity="warning"}:{namespace="harbour"}',
        "truncatedAlerts": 0,
    } | fields


def cdevent(kind: str, version: str, content: dict[str, Any], identity: str = "tide-tables") -> dict[str, Any]:
    """A CDEvent; before 0.5 its version lies in `version`, and the subject has a type."""
    old = version.startswith("0.4")
    subject = {"id": identity, "source": "/cluster/harbour", "content": content}
    return {
        "context": {
            "version" if old else "specversion": version,
            "id": "0f2b8c64-6b0c-4c55-9f5d-2f9d0a7f7a11",
            "chainId": "9a5c7e10-41f7-4a6e-8f0f-6f0a3f1f2b77",
            "source": "/argocd/harbour",
            "type": f"dev.cdevents.{kind}",
            "timestamp": "2026-04-09T06:20:00.5Z",
            "links": [{"linkType": "RELATION", "linkKind": "TRIGGER", "target": {"contextId": "5328c37f-bb7e"}}],
        },
        "subject": subject | ({"type": kind.partition(".")[0]} if old else {}),
        "customData": {"argocd": {"application": "tide-tables", "sync": "Synced"}},
        "customDataContentType": "application/json",
    }
