"""Alertmanager's webhook, version 4: each alert is an incident, and a sample of `alert_firing` (1 firing, 0 resolved).

An incident is one episode of an alert: its fingerprint and when it began. That is the same in every notification of the
episode and from every Alertmanager of a cluster; when the alert fires again later, it is another incident.
"""

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, Event
from vigia.events.decoding import MAX_EVENTS
from vigia.events.feedback import IncidentOpened, IncidentResolved
from vigia.events.formats import environments, workloads
from vigia.events.formats.reading import Json, choice, cut, is_object, links_in, moment, optional_text, text
from vigia.events.formats.severities import severity_of
from vigia.events.identity import derive_id
from vigia.events.invalid import Invalid, InvalidEvent, Reason
from vigia.events.samples import Sample
from vigia.events.times import rfc3339

SOURCE = "alertmanager"
"""The source of all its incidents: the same alert comes from every Alertmanager of a cluster."""

METRIC = "alert_firing"

NO_INCIDENT = "none"
"""The severity of alerts that are no trouble, such as a watchdog that always fires: they are samples only."""

MAX_ALERTS = MAX_EVENTS // 2
"""Most alerts in one notification."""

_FIRING = {"firing": True, "resolved": False}

_NO_TIME = "0001-01-01T00:00:00"
"""How a time that is not set is written."""


def is_one(body: Json) -> bool:
    """Return whether a payload is a notification of Alertmanager, or of something that writes like it."""
    return isinstance(body.get("alerts"), list) and "groupKey" in body and "version" in body


def events(body: Json, received_at: float | None = None) -> list[Event | Invalid]:
    """Return what a notification says that arrived at `received_at` (epoch seconds, None where that is not known);
    raises InvalidEvent. An alert that is refused does not take the others with it: its letter has a notification of its
    own, which can be sent again.
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
            found += _of_alert(alert, body, received_at)
        except InvalidEvent as error:
            alone = msgspec.json.encode({**body, "alerts": [alert]})
            found.append(Invalid(error.reason, f"alerts[{index}]: {error.detail}", alone))
    return found


def _of_alert(alert: object, body: Json, received_at: float | None) -> list[Event]:
    if not isinstance(alert, dict):
        raise InvalidEvent(Reason.WRONG_TYPE, "an alert must be an object")
    labels = _texts(alert, "labels")
    if not labels:
        raise InvalidEvent(Reason.MISSING_FIELD, "labels is missing or empty")
    service = workloads.service_of(labels)
    if not service:
        known = ", ".join((*workloads.LABELS, workloads.LAST))
        raise InvalidEvent(Reason.MISSING_FIELD, f"labels has none that names the service: {known}")
    named = next((labels[name] for name in environments.LABELS if labels.get(name)), DEFAULT_ENVIRONMENT)
    environment = environments.environment_of(named)
    fingerprint = optional_text(alert, "fingerprint") or _fingerprint(labels)
    began = moment(alert, "startsAt")
    firing = _fires(alert, body, received_at)
    at = began if firing else _end(alert, began, received_at)
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


def _fires(alert: Json, body: Json, received_at: float | None) -> bool:
    """Return whether an alert fires. One that does not say so does when the group does, unless it has ended: a group
    fires as long as one of its alerts does. An end that lies ahead is when it will be given up without news.
    """
    if alert.get("status") is not None:
        return choice(alert, "status", _FIRING)
    if not choice(body, "status", _FIRING):
        return False
    return not _has_end(alert) or received_at is None or moment(alert, "endsAt") > received_at


def _end(alert: Json, began: float, received_at: float | None) -> float:
    """Return when a resolved alert ended: where that is not known, or not yet, when it was told."""
    if received_at is None:
        return moment(alert, "endsAt")
    told = max(began, received_at)
    return min(moment(alert, "endsAt"), told) if _has_end(alert) else told


def _has_end(alert: Json) -> bool:
    said = optional_text(alert, "endsAt")
    return bool(said) and not said.startswith(_NO_TIME)


def _fingerprint(labels: dict[str, str]) -> str:
    """Return an id for an alert of an Alertmanager older than 0.19, which sends no fingerprint."""
    return derive_id("alert", *(part for pair in sorted(labels.items()) for part in pair))
