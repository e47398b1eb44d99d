"""How feedback is signed: an HMAC-SHA256 over what an event says, in the event itself.

So the signature goes wherever the event goes: into an array, into a CloudEvent, on to the lane where it belongs. Signed
is the event as it is read, not its bytes: spaces, the order of fields and fields that are not known do not matter. What
would surprise: a scope that the sender left out is filled in by the catalog on the way, so `signed_bytes` can leave it
out again.
"""

import hmac
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from vigia.events.base import Event

SCHEME = "sha256="
"""How signatures begin."""

E = TypeVar("E", bound=Event)


def signed_bytes(event: Event, *, without_scope: bool = False) -> bytes:
    """Return what is signed of a feedback: JSON in UTF-8 without spaces, keys sorted, fields with their defaults left
    out, `at` in epoch seconds with a decimal point, and no signature.
    """
    content = msgspec.to_builtins(event)
    content.pop("signature", None)
    if without_scope:
        content.pop("scope", None)
    return msgspec.json.encode(content, order="sorted")


def sign(event: E, key: bytes) -> E:
    """Return the feedback with its signature."""
    return msgspec.structs.replace(event, signature=_signature(signed_bytes(event), key))  # type: ignore[type-var]


def is_signed(event: Event, keys: Iterable[bytes], *, scope_was_filled: bool) -> bool:
    """Return whether one of the keys has signed the event; `scope_was_filled` says that its scope may not have been the
    sender's to say.
    """
    # what is not ASCII cannot be compared as text, and is no signature
    given = str(getattr(event, "signature", "")).encode()
    contents = [signed_bytes(event), *([signed_bytes(event, without_scope=True)] if scope_was_filled else [])]
    return any(hmac.compare_digest(given, _signature(content, key).encode()) for key in keys for content in contents)


def without_signature(event: E) -> E:
    """Return the event without its signature: signed anew with another key it is the same event."""
    if not getattr(event, "signature", ""):
        return event
    return msgspec.structs.replace(event, signature="")  # type: ignore[type-var] # every event is a Struct


def _signature(content: bytes, key: bytes) -> str:
    return SCHEME + hmac.digest(key, content, "sha256").hex()
