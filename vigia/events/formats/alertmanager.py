"""Alertmanager's webhook, version 4: each alert is an incident, and a sample of `alert_firing` (1 firing, 0 resolved).

An incident is one episode of an alert: its fingerprint and when it began. That is the same in every notification of the
episode and from every Alertmanager of a cluster; when the alert fires again later, it is another incident.
"""

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, Event
from vigia.events.decoding import MAX_EVENTS
from vigia.events.feedback import IncidentOpened, IncidentResolved
from vigia.events.formats.reading import Json, choice, cut, is_object, links_in, moment, optional_text, text
from vigia.events.formats.severities import severity_of
from vigia.events.identity import derive_id
from vigia.events.invalid import Invalid, InvalidEvent, Reason
from vigia.events.samples import Sample
from vigia.events.times import rfc3339

SOURCE = "alertmanager"
"""The source of all its incidents: the same alert comes from every Alertmanager of a cluster."""

METRIC = "alert_firing"

SERVICE_LABELS = ("service", "app", "app_kubernetes_io_name", "deployment", "job", "namespace", "instance", "alertname")
"""The labels that may name the service; the first that an alert has counts."""

ENVIRONMENT_LABELS = ("environment", "env")

NO_INCIDENT = "none"
"""The severity of alerts that are no trouble, such as a watchdog that always fires: they are samples only."""

MAX_ALERTS = MAX_EVENTS // 2
"""Most alerts in one notification."""


def is_one(body: Json) -> bool:
    """Return whether a payload is a notification of Alertmanager, or of something that writes like it."""
    return isinstance(body.get("alerts"), list) and "groupKey" in body and "version" in body


def events(body: Json) -> list[Event | Invalid]:
    """Return what a notification says; raises InvalidEvent. An alert that is refused does not take the others with it:
    its letter has a notification of its own, which can be sent again.
    """
    version = text(body, "version")
    if version != "4":
        raise InvalidEvent(Reason.UNKNOWN_TYPE, f"version {version[:16]!r} of Alertmanager's webhook; 4 is understood")
    alerts = body["alerts"]
    if not alerts:
        raise InvalidEvent(Reason.EMPTY, "alerts is empty")
    if len(alerts) > MAX_ALERTS:
        raise InvalidEvent(Reason.TOO_LARGE, f"alerts has {len(alerts)}; at most {MAX_ALERTS} in one notification")
    found: list[Event | Invalid] = []
    for index, alert in enumerate(alerts):
        try:
            found += _of_alert(alert)
        except InvalidEvent as error:
            alone = msgspec.json.encode({**body, "alerts": [alert]})
            found.append(Invalid(error.reason, f"alerts[{index}]: {error.detail}", alone))
    return found


def _of_alert(alert: object) -> list[Event]:
    if not isinstance(alert, dict):
        raise InvalidEvent(Reason.WRONG_TYPE, "an alert must be an object")
    labels = _texts(alert, "labels")
    if not labels:
        raise InvalidEvent(Reason.MISSING_FIELD, "labels is missing or empty")
    service = _first(labels, SERVICE_LABELS)
    if not service:
        raise InvalidEvent(Reason.MISSING_FIELD, f"labels has none that names the service: {', '.join(SERVICE_LABELS)}")
    environment = _first(labels, ENVIRONMENT_LABELS) or DEFAULT_ENVIRONMENT
    fingerprint = optional_text(alert, "fingerprint") or _fingerprint(labels)
    began = moment(alert, "startsAt")
    firing = choice(alert, "status", {"firing": True, "resolved": False})
    at = began if firing else moment(alert, "endsAt")
    about = {"fingerprint": fingerprint}
    sample = Sample(
        service=service,
        environment=environment,
        metric=METRIC,
        ts=at,
        value=float(firing),
        unit="1",
        labels={"alertname": name, **about} if (name := labels.get("alertname")) else about,
        event_id=derive_id("alert-sample", fingerprint, repr(began), repr(at), str(firing)),
    )
    if labels.get("severity", "").lower() == NO_INCIDENT:
        return [sample]
    external_id = f"{fingerprint}/{rfc3339(began)}"
    if not firing:
        resolved = IncidentResolved(
            source=SOURCE, external_id=external_id, service=service, environment=environment, at=at
        )
        return [resolved, sample]
    annotations = _texts(alert, "annotations")
    title = annotations.get("summary") or annotations.get("description") or annotations.get("message")
    title = cut(title or labels.get("alertname", ""))
    severity = severity_of(labels.get("severity"))
    opened = IncidentOpened(
        source=SOURCE,
        external_id=external_id,
        service=service,
        environment=environment,
        severity=severity,
        title=title,
        links=links_in([alert.get("generatorURL"), annotations.get("runbook_url"), annotations.get("dashboard_url")]),
        at=at,
    )
    # the texts of an alert that still fires may say other figures in each notification
    said = derive_id("alert-opened", external_id, service, environment, severity, title, *opened.links)
    return [msgspec.structs.replace(opened, event_id=said), sample]


def _texts(alert: Json, name: str) -> dict[str, str]:
    found = alert.get(name)
    if found is None:
        return {}
    if not is_object(found) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidEvent(Reason.WRONG_TYPE, f"{name} must be an object of texts")
    return dict(found)


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _fingerprint(labels: dict[str, str]) -> str:
    """Return an id for an alert of an Alertmanager older than 0.19, which sends no fingerprint."""
    return derive_id("alert", *(part for pair in sorted(labels.items()) for part in pair))
