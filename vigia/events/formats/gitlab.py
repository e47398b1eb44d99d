"""GitLab's webhooks: told apart, so that they are refused for what they are, and none of them is understood."""

from vigia.events.formats.reading import Headers, Json, is_object
from vigia.events.invalid import InvalidEvent, Reason

_HEADER = "x-gitlab-event"


def is_one(body: Json, headers: Headers) -> bool:
    """Return whether a payload is of one of GitLab's webhooks."""
    if any(name.lower() == _HEADER for name, _ in headers):
        return True
    return isinstance(body.get("object_kind"), str) and (
        is_object(body.get("project")) or is_object(body.get("object_attributes"))
    )


def refused(body: Json) -> InvalidEvent:
    """Return why a payload is refused."""
    kind = str(body.get("object_kind") or body.get("event_name") or "")
    detail = f"not needed: GitLab's webhooks are not understood, {kind[:64]!r} neither; send CDEvents or `vigia emit`"
    return InvalidEvent(Reason.UNKNOWN_TYPE, detail, unneeded=True)
