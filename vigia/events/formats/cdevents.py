"""CDEvents 0.4 to 0.6: services, incidents, merged changes and finished pipeline runs.

What may surprise: the subject of `service.deployed` is the service, so the deployment's own id is the event's. A chain
(`chainId`) ties a deployment to its pipeline runs and changes; it does not make two deployments one.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote

from vigia.events.base import DEFAULT_ENVIRONMENT, Event
from vigia.events.catalog import UNASSIGNED
from vigia.events.deployments import Deployment, Kind
from vigia.events.feedback import ChangeMerged, IncidentOpened, IncidentResolved, PipelineRun, RunStatus
from vigia.events.formats.environments import environment_of
from vigia.events.formats.reading import Json, choice, cut, is_object, links_in, look, moment, optional_text, text
from vigia.events.formats.severities import severity_of
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import MAX_NAME

_TYPE = re.compile(r"dev\.cdevents\.([a-z]+)\.([a-z]+)\.\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", re.ASCII)
_CUSTOM = re.compile(r"dev\.cdeventsx\.[a-z0-9-]+\.[a-z]+\.\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", re.ASCII)
_VERSION = re.compile(r"0\.[456]\.\d+(-[0-9A-Za-z.]+)?", re.ASCII)

_KINDS: dict[str, Kind] = {
    "deployed": "deployment",
    "upgraded": "deployment",
    "rolledback": "rollback",
    "published": "publication",
    "removed": "removal",
}

_OUTCOMES: dict[str, RunStatus] = {
    "success": "succeeded",
    "failure": "failed",
    "error": "failed",
    "cancel": "cancelled",
    # 0.4 leaves the word to the sender, and used this one in its text
    "canceled": "cancelled",
    "cancelled": "cancelled",
}


def is_one(body: Json) -> bool:
    """Return whether a payload is a CDEvent of any version and type."""
    context = body.get("context")
    return (
        isinstance(context, dict)
        and is_object(body.get("subject"))
        and str(context.get("type")).startswith("dev.cdevents")
    )


def events(body: Json) -> list[Event]:
    """Return what a CDEvent says; raises InvalidEvent."""
    kind = text(body, "context.type")
    parts = _TYPE.fullmatch(kind)
    subject, predicate = parts.group(1, 2) if parts else ("", "")
    version = optional_text(body, "context.specversion") or text(body, "context.version")
    if not _VERSION.fullmatch(version):
        raise InvalidEvent(Reason.BAD_VALUE, f"context.specversion is {version[:32]!r}; understood are 0.4 to 0.6")
    for name in ("context.id", "context.source", "context.timestamp", "subject.id"):
        text(body, name)
    if subject == "service" and predicate in _KINDS:
        return [_service(body, _KINDS[predicate])]
    make = _OTHERS.get(f"{subject}.{predicate}")
    if make is None:
        known = bool(parts or _CUSTOM.fullmatch(kind))
        detail = f"CDEvents of type {kind[:200]!r} are not understood; {', '.join(understood())} are"
        raise InvalidEvent(Reason.UNKNOWN_TYPE, f"not needed: {detail}" if known else detail, unneeded=known)
    return [make(body)]


def understood() -> list[str]:
    """Return the subjects and predicates that are understood."""
    return sorted([f"service.{predicate}" for predicate in _KINDS] + list(_OTHERS))


def _service(body: Json, kind: Kind) -> Deployment:
    return Deployment(
        source=text(body, "context.source"),
        external_id=text(body, "context.id"),
        service=text(body, "subject.id"),
        environment=environment_of(text(body, "subject.content.environment.id")),
        stage="finished",
        status="succeeded",
        at=moment(body, "context.timestamp"),
        version=_version(optional_text(body, "subject.content.artifactId")),
        event_id=_event_id(body),
        kind=kind,
        runs=_chain(body),
    )


def _incident_opened(body: Json) -> IncidentOpened:
    service = optional_text(body, "subject.content.service.id")
    custom = body.get("customData")
    return IncidentOpened(
        source=_subject_source(body),
        external_id=text(body, "subject.id"),
        service=service,
        scope="" if service else UNASSIGNED,
        environment=environment_of(optional_text(body, "subject.content.environment.id")) or DEFAULT_ENVIRONMENT,
        severity=severity_of(custom.get("severity") if isinstance(custom, dict) else None),
        title=cut(optional_text(body, "subject.content.description")),
        links=links_in([look(body, f"subject.content.{name}") for name in ("ticketURI", "ticketUri", "uri")]),
        at=moment(body, "context.timestamp"),
        event_id=_event_id(body),
    )


def _incident_resolved(body: Json) -> IncidentResolved:
    service = optional_text(body, "subject.content.service.id")
    return IncidentResolved(
        source=_subject_source(body),
        external_id=text(body, "subject.id"),
        service=service,
        scope="" if service else UNASSIGNED,
        environment=environment_of(optional_text(body, "subject.content.environment.id")) or DEFAULT_ENVIRONMENT,
        at=moment(body, "context.timestamp"),
        event_id=_event_id(body),
    )


def _change_merged(body: Json) -> ChangeMerged:
    return ChangeMerged(
        source=_subject_source(body),
        external_id=text(body, "subject.id"),
        service=optional_text(body, "subject.content.repository.id") or text(body, "subject.id"),
        at=moment(body, "context.timestamp"),
        names=_chain(body),
        event_id=_event_id(body),
    )


def _pipeline_run(body: Json) -> PipelineRun:
    outcome = look(body, "subject.content.outcome")
    pipeline = optional_text(body, "subject.content.pipelineName")
    return PipelineRun(
        source=_subject_source(body),
        external_id=text(body, "subject.id"),
        service=pipeline or text(body, "subject.id"),
        status=choice(body, "subject.content.outcome", _OUTCOMES) if outcome is not None else "unknown",
        at=moment(body, "context.timestamp"),
        names=_chain(body),
        pipeline=pipeline,
        event_id=_event_id(body),
    )


_OTHERS: dict[str, Callable[[Json], Event]] = {
    "incident.detected": _incident_opened,
    "incident.reported": _incident_opened,
    "incident.resolved": _incident_resolved,
    "change.merged": _change_merged,
    "pipelinerun.finished": _pipeline_run,
}


def _event_id(body: Json) -> str:
    """An id is the sender's own, and some use one for several types."""
    return derive_id("cdevent", *(text(body, f"context.{name}") for name in ("source", "id", "type")))


def _subject_source(body: Json) -> str:
    return optional_text(body, "subject.source") or text(body, "context.source")


def _chain(body: Json) -> list[str]:
    chain = optional_text(body, "context.chainId")
    return [f"chain/{chain}"] if chain else []


def _version(artifact: str) -> str:
    """Return the version in a package URL: what stands between @ and its qualifiers; else the whole of it."""
    path = artifact.partition("#")[0].partition("?")[0]
    name, _, said = path.rpartition("@")
    # behind a slash it is the @ of a scope, which should have been %40
    found = name.startswith("pkg:") and not name.endswith("/")
    version = (unquote(said) if found else "") or artifact
    return version if len(version) <= MAX_NAME else derive_id("version", artifact)
