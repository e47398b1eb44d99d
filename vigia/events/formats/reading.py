"""Careful reading of JSON that others made: each field is asked for by its path, and a refusal names that path."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import MAX_TEXT
from vigia.events.times import epoch_seconds

T = TypeVar("T")

Json = Mapping[str, Any]
"""A JSON object."""

Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers, or those of a request."""

_OFFSET = re.compile(r"(:\d{2}(?:\.\d+)?[+-]\d{2})(\d{2})$", re.ASCII)
"""A time's end with an offset as ISO 8601's basic format has it."""

_OBJECTS = msgspec.json.Decoder(dict[str, Any])


def parsed(value: bytes) -> Json | None:
    """Return the JSON object that `value` is; None when it is none, or nested too deep."""
    try:
        return _OBJECTS.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def look(body: Json, path: str) -> Any:
    """Return what is at a dotted `path`, None where nothing is; raises InvalidEvent where no object is on the way."""
    found: Any = body
    *outer, last = path.split(".")
    for depth, name in enumerate(outer, start=1):
        found = found.get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise InvalidEvent(Reason.WRONG_TYPE, f"{'.'.join(outer[:depth])} must be an object")
    return found.get(last)


def optional_text(body: Json, path: str) -> str:
    """Return the text at `path`, empty where nothing is; raises InvalidEvent for anything else."""
    value = look(body, path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidEvent(Reason.WRONG_TYPE, f"{path} must be text")
    return value


def text(body: Json, path: str) -> str:
    """Return the text at `path`; raises InvalidEvent where it is missing or empty."""
    value = optional_text(body, path)
    if not value:
        raise InvalidEvent(Reason.MISSING_FIELD, f"{path} is missing")
    return value


def moment(body: Json, path: str) -> float:
    """Return the RFC 3339 time at `path` in epoch seconds, its offset with or without a colon; raises InvalidEvent."""
    return epoch_seconds(_OFFSET.sub(r"\1:\2", text(body, path)), path)


def number(body: Json, path: str) -> int:
    """Return the whole number at `path`, as the ids of GitHub are: positive, of at most 64 bits. Raises
    InvalidEvent.
    """
    value = look(body, path)
    if value is None:
        raise InvalidEvent(Reason.MISSING_FIELD, f"{path} is missing")
    if type(value) is not int:
        raise InvalidEvent(Reason.WRONG_TYPE, f"{path} must be a whole number")
    if not 0 < value < 1 << 63:
        raise InvalidEvent(Reason.BAD_VALUE, f"{path} is not an id: it must be positive and have at most 64 bits")
    return value


def is_object(value: object) -> bool:
    """Return whether a parsed value is a JSON object."""
    return isinstance(value, dict)


def cut(title: str) -> str:
    """Return free text, cut to what a title may have."""
    return title if len(title) <= MAX_TEXT else title[: MAX_TEXT - 1] + "…"


def links_in(candidates: Sequence[object]) -> list[str]:
    """Return the candidates that are addresses: texts that begin with http:// or https:// and are not too long."""
    texts = [each for each in candidates if isinstance(each, str)]
    return list(
        dict.fromkeys(each for each in texts if each.startswith(("http://", "https://")) and len(each) <= MAX_TEXT)
    )


def choice(body: Json, path: str, meanings: Mapping[str, T]) -> T:
    """Return what the text at `path` means; raises InvalidEvent when it is none of the keys of `meanings`."""
    value = text(body, path)
    if value not in meanings:
        known = ", ".join(meanings)
        raise InvalidEvent(Reason.BAD_VALUE, f"{path} is {value[:64]!r}; understood are {known}")
    return meanings[value]
