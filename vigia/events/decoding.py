"""Strict decoding: the bytes of a record to events, each valid or `Invalid` with a reason that its sender can act on.

A record holds one event or a JSON array of events. A bad element of an array does not take its neighbours with it.
"""

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from vigia.events.base import Event
from vigia.events.invalid import EXPLANATIONS, Invalid, InvalidEvent, Reason

MAX_EVENTS = 10_000
"""Most events one record may carry."""

_WHITE = b" \t\r\n"
_NOT_FINITE = re.compile(rb"[:,\[\s]-?(NaN|Infinity|inf|nan)\b")


class RefusingDecoder:
    """Decodes records of a topic that has no event types yet: refuses all of them."""

    def decode(self, value: bytes | None) -> Sequence[Event | Invalid]:
        """Return one `Invalid`; never raises."""
        if not value:
            return [Invalid(Reason.EMPTY, EXPLANATIONS[Reason.EMPTY])]
        return [Invalid(Reason.UNKNOWN_TYPE, "this topic carries no event type yet", value)]


class EventDecoder:
    """Decodes records of a topic that carries the given event types."""

    def __init__(self, types: tuple[type[msgspec.Struct], ...]) -> None:
        union = reduce(or_, types)
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(union)
        self._raws = msgspec.json.Decoder(list[msgspec.Raw])
        self._tags = sorted(str(kind.__struct_config__.tag) for kind in types if kind.__struct_config__.tag is not None)

    def decode(self, value: bytes | None) -> Sequence[Event | Invalid]:
        """Return the events of one record in order; never raises."""
        if not value:
            return [Invalid(Reason.EMPTY, EXPLANATIONS[Reason.EMPTY])]
        # the usual record is one good event: nothing but the decoder runs for it
        try:
            return [self._one.decode(value)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidEvent) as error:
            if value.lstrip(_WHITE)[:1] != b"[":
                return [self._refused(value, error)]
        return self._decode_array(value)

    def _decode_array(self, value: bytes) -> Sequence[Event | Invalid]:
        try:
            raws = self._raws.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return [self._refused(value, error)]
        if not raws:
            return [Invalid(Reason.EMPTY, "the array has no events", value)]
        if len(raws) > MAX_EVENTS:
            return [
                Invalid(
                    Reason.TOO_LARGE, f"the array has {len(raws)} events; at most {MAX_EVENTS} in one record", value
                )
            ]
        return [self._decode_one(bytes(raw)) for raw in raws]

    def _decode_one(self, value: bytes) -> Event | Invalid:
        try:
            event: Event = self._one.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidEvent) as error:
            return self._refused(value, error)
        return event

    def _refused(self, value: bytes, error: Exception) -> Invalid:
        cause = error if isinstance(error, InvalidEvent) else error.__cause__
        if isinstance(cause, InvalidEvent):
            return Invalid(cause.reason, cause.detail, value)
        if isinstance(error, RecursionError):
            return Invalid(Reason.TOO_DEEP, EXPLANATIONS[Reason.TOO_DEEP], value)
        text = str(error)
        if isinstance(error, msgspec.ValidationError):
            return Invalid(*self._classify(text), value)
        if _NOT_FINITE.search(value):
            return Invalid(Reason.NOT_FINITE, "NaN and Infinity are not JSON, nor values of a sample", value)
        return Invalid(Reason.NOT_JSON, text, value)

    def _classify(self, text: str) -> tuple[Reason, str]:
        if "missing required field" in text:
            if self._tags and "`type`" in text:
                return Reason.MISSING_FIELD, f"{text}; this topic carries {', '.join(self._tags)}"
            return Reason.MISSING_FIELD, text
        if text.startswith("Invalid value") and text.endswith("`$.type`"):
            return Reason.UNKNOWN_TYPE, f"{text}; this topic carries {', '.join(self._tags)}"
        if text.startswith("Number out of range"):
            return Reason.NOT_FINITE, text
        if text.startswith("Invalid enum value"):
            return Reason.BAD_VALUE, text
        return Reason.WRONG_TYPE, text
