"""CloudEvents 1.0 in Kafka's protocol binding: structured mode (the value is the envelope) and binary mode (`ce_`
headers are). What is inside is in one of the other formats, or an event of ours.

What may surprise: `partitionkey` is the key that the sender wants, and the key of `deployments` and `feedback` is the
scope, so it names the scope of an event that has none of its own.
"""

import re
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from vigia.events.base import Event
from vigia.events.decoding import EventDecoder
from vigia.events.deployments import Deployment
from vigia.events.feedback import (
    AttributionCorrected,
    ChangeMerged,
    DecisionFeedback,
    IncidentOpened,
    IncidentResolved,
    Outcome,
    PipelineRun,
)
from vigia.events.formats.reading import Headers, Json, optional_text, parsed, text
from vigia.events.identity import derive_id
from vigia.events.invalid import Invalid, InvalidEvent, Reason
from vigia.events.names import check_text
from vigia.events.samples import Sample

_PREFIXES = ("ce_", "ce-")
"""How attributes begin as headers: of Kafka, of HTTP."""

_STRUCTURED = "application/cloudevents"
_BATCH = "application/cloudevents-batch"
_REQUIRED = ("id", "source", "type")

_TYPES = (
    Deployment,
    Outcome,
    IncidentOpened,
    IncidentResolved,
    PipelineRun,
    ChangeMerged,
    AttributionCorrected,
    DecisionFeedback,
)
_TAGS = {kind.__struct_config__.tag for kind in _TYPES}
_OWN = EventDecoder(_TYPES)

_VERSION = re.compile(r"(\.v?\d+)+$", re.ASCII)
"""How the version ends a type that has one, as in `com.acme.deployment.v2`."""
_SAMPLES = EventDecoder((Sample,))


class Envelope(NamedTuple):
    """A CloudEvent: who says what, and the JSON object inside."""

    id: str
    source: str
    type: str
    partition_key: str
    data: Json


def announced(headers: Headers) -> bool:
    """Return whether headers say that a record is a CloudEvent."""
    return any(name.lower() in {"ce_specversion", "ce-specversion"} for name, _ in headers) or _content_type(
        headers
    ).startswith(_STRUCTURED)


def envelope(body: Json | None, headers: Headers) -> Envelope | None:
    """Return the CloudEvent that a record is, or None when it is none; raises InvalidEvent when it is a bad one.

    `body` is the record's value, None when that is no JSON object.
    """
    media = _content_type(headers)
    if media.startswith(_BATCH):
        raise InvalidEvent(Reason.BAD_VALUE, "CloudEvents has no batch mode on Kafka; send one event a record")
    if media.startswith(_STRUCTURED):
        if _media(media) not in {_STRUCTURED, f"{_STRUCTURED}+json"}:
            raise InvalidEvent(Reason.BAD_VALUE, f"content-type is {media[:64]!r}; of CloudEvents' formats send JSON")
        return _structured(_object(body, "the value"))
    if announced(headers):
        return _checked(_attributes(headers), _media(media), _object(body, "the value"))
    # the attributes that a CDEvent has too lie in its context
    if body is not None and "specversion" in body and all(isinstance(body.get(name), str) for name in _REQUIRED):
        return _structured(body)
    return None


def addressed(envelope: Envelope, events: Sequence[Event | Invalid] | None) -> list[Event | Invalid]:
    """Return the events of an envelope with what only the envelope knows; `events` are those of its data when that is
    in another format, None when it must be an event of ours. Raises InvalidEvent.
    """
    found = list(events) if events is not None else _own(envelope)
    return [event if isinstance(event, Invalid) else _with_scope(event, envelope.partition_key) for event in found]


def _structured(body: Json) -> Envelope:
    attributes = {name: value for name, value in body.items() if name not in {"data", "data_base64"}}
    media = _media(optional_text(body, "datacontenttype"))
    if body.get("data_base64") is None:
        return _checked(attributes, media, _object(body.get("data"), "data"))
    try:
        data = b64decode(optional_text(body, "data_base64"), validate=True)
    except ValueError as error:
        raise InvalidEvent(Reason.BAD_VALUE, f"data_base64: {error}") from error
    return _checked(attributes, media, _object(parsed(data), "data_base64"))


def _checked(attributes: Json, media: str, data: Json) -> Envelope:
    version = text(attributes, "specversion")
    if version != "1.0":
        raise InvalidEvent(Reason.BAD_VALUE, f"specversion is {version[:16]!r}; of CloudEvents 1.0 is understood")
    if media and media != "text/json" and media.rpartition("/")[2].rpartition("+")[2] != "json":
        raise InvalidEvent(Reason.BAD_VALUE, f"datacontenttype is {media[:64]!r}; send JSON")
    for name in _REQUIRED:
        check_text(text(attributes, name), name)
    event_id, source, kind = (attributes[name] for name in _REQUIRED)
    return Envelope(event_id, source, kind, optional_text(attributes, "partitionkey"), data)


def _own(envelope: Envelope) -> list[Event | Invalid]:
    """Return the event of ours that the data is, with an id made of the envelope's unless it has one."""
    data = envelope.data
    if "metric" in data:
        decoder = _SAMPLES
    elif kind := _tag(data.get("type") or envelope.type):
        decoder, data = _OWN, {**data, "type": kind}
    else:
        detail = f"a CloudEvent of type {envelope.type[:200]!r} is in no format that is understood"
        raise InvalidEvent(Reason.UNKNOWN_TYPE, detail)
    (event,) = decoder.decode(msgspec.json.encode(data))
    if isinstance(event, Invalid):
        raise InvalidEvent(event.reason, f"data: {event.detail}")
    if getattr(event, "event_id", ""):
        return [event]
    return [_replaced(event, event_id=derive_id("cloudevent", envelope.source, envelope.id))]


def _tag(kind: object) -> str:
    """Return the type of ours that `kind` is or, behind a reversed domain, ends with; empty when it is none."""
    if not isinstance(kind, str):
        return ""
    words = _VERSION.sub("", kind).split(".")
    ends = (".".join(words[start:]) for start in range(len(words)))
    # the longest first: deployment.outcome is no outcome, nor is it a deployment
    return next((end for end in ends if end in _TAGS), "")


def _with_scope(event: Event, scope: str) -> Event:
    return _replaced(event, scope=scope) if scope and getattr(event, "scope", None) == "" else event


def _replaced(event: Event, **changes: Any) -> Event:
    return msgspec.structs.replace(event, **changes)  # type: ignore[type-var] # every event is a Struct


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise InvalidEvent(Reason.WRONG_TYPE, f"{what} of a CloudEvent must be one JSON object")
    return value


def _attributes(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if name[:3].lower() in _PREFIXES and value is not None:
            try:
                found.setdefault(name[3:].lower(), value.decode())
            except UnicodeDecodeError as error:
                raise InvalidEvent(Reason.WRONG_TYPE, f"the header {name[:40]!r} is not UTF-8") from error
    return found


def _content_type(headers: Headers) -> str:
    values = (value for name, value in headers if value and name.lower() == "content-type")
    return next(values, b"").decode("utf-8", "replace").strip().lower()


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
