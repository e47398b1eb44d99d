"""Formats of other tools: pure functions from a record's bytes and headers to our events.

Each payload is told by what it says of itself, so the same function serves the topics and an HTTP intake. One payload
may be several events, of several topics; what it says and we do not use stays in the raw log. `docs/formats.md` maps
every field.
"""

from collections.abc import Sequence

from vigia.events.base import Event
from vigia.events.formats import alertmanager, cdevents, cloudevents, github, gitlab
from vigia.events.formats.reading import Headers, Json, parsed
from vigia.events.invalid import Invalid, InvalidEvent

__all__ = ["Headers", "from_elsewhere", "translate"]


def from_elsewhere(headers: Headers) -> bool:
    """Return whether the headers alone say that the value is in one of these formats."""
    return cloudevents.announced(headers) or bool(github.kind_in(headers))


def translate(
    value: bytes, headers: Headers = (), received_at: float | None = None
) -> Sequence[Event | Invalid] | None:
    """Return the events of a payload in order, or one `Invalid` with the reason; None when it is in none of the
    formats. Never raises. `value` is one JSON object in UTF-8; names of headers count in any case. `received_at` is
    when it arrived, in epoch seconds: the time of what ended and does not say when.
    """
    body = parsed(value)
    if body is None and not from_elsewhere(headers):
        return None
    try:
        envelope = cloudevents.envelope(body, headers)
        if envelope is not None:
            return cloudevents.addressed(envelope, _events(envelope.data, headers, received_at))
        return None if body is None else _events(body, headers, received_at)
    except InvalidEvent as error:
        return [Invalid(error.reason, error.detail, value, error.unneeded)]


def _events(body: Json, headers: Headers, received_at: float | None) -> Sequence[Event | Invalid] | None:
    """Return the events of a payload without an envelope, None when nothing is known of its kind; raises
    InvalidEvent.
    """
    if cdevents.is_one(body):
        return cdevents.events(body)
    if alertmanager.is_one(body):
        return alertmanager.events(body, received_at)
    if (kind := github.kind_of(body, headers)) is not None:
        return github.events(body, kind)
    if gitlab.is_one(body, headers):
        raise gitlab.refused(body)
    return None
