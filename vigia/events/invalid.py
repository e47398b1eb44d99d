"""Why an event can be refused: every reason, in one place, with the text a sender can act on.

Reasons are stable identifiers: they appear in dead letters, counters and documentation.
"""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Every reason for which an event becomes a dead letter."""

    EMPTY = "empty"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_TYPE = "unknown_type"
    BAD_NAME = "bad_name"
    BAD_VALUE = "bad_value"
    NOT_FINITE = "not_finite"
    BAD_TIME = "bad_time"
    NOT_SECONDS = "not_seconds"
    NEGATIVE_TIME = "negative_time"
    FUTURE = "future"
    TOO_OLD = "too_old"
    CONFLICTING_ID = "conflicting_id"
    SERIES_CAP = "series_cap"
    WRONG_PARTITION = "wrong_partition"
    NOT_ALLOWED = "not_allowed"
    BAD_SIGNATURE = "bad_signature"
    OVER_LIMIT = "over_limit"
    MODEL_ERROR = "model_error"


EXPLANATIONS: dict[Reason, str] = {
    Reason.EMPTY: "the record has no value; send one JSON event or a JSON array of events",
    Reason.NOT_JSON: "the value is not JSON in UTF-8",
    Reason.TOO_DEEP: "the JSON is nested deeper than an event can be",
    Reason.TOO_LARGE: "the value or one of its lists is larger than allowed; send it in smaller messages",
    Reason.WRONG_TYPE: "a field has another type than the event's definition says",
    Reason.MISSING_FIELD: "a required field is missing",
    Reason.UNKNOWN_TYPE: "the topic carries no event of this type",
    Reason.BAD_NAME: "a name is empty, too long, or has control characters or surrounding space",
    Reason.BAD_VALUE: "a value lies outside its allowed range",
    Reason.NOT_FINITE: "a number is NaN or infinite",
    Reason.BAD_TIME: "a time is neither RFC 3339 with an offset nor epoch seconds",
    Reason.NOT_SECONDS: "a time is in milliseconds or finer; send epoch seconds or RFC 3339",
    Reason.NEGATIVE_TIME: "a time lies before 1970",
    Reason.FUTURE: "the event lies further ahead of its arrival than clocks may differ",
    Reason.TOO_OLD: "the samples are older than the service's windows are kept",
    Reason.CONFLICTING_ID: "an event with this id and other content was taken before",
    Reason.SERIES_CAP: "the service has as many series as one service may have",
    Reason.WRONG_PARTITION: "the record is in the wrong partition for its key even after it was sent again",
    Reason.NOT_ALLOWED: "its sender may not say this, by the rules of `config/feedback.toml`",
    Reason.BAD_SIGNATURE: "its sender signs what it sends, and this is not signed with a key of the sender's",
    Reason.OVER_LIMIT: "its sender has said as much on this day as it may",
    Reason.MODEL_ERROR: "the model failed on this event three times; its traceback is in the detail",
}

BY_RULE = frozenset({Reason.NOT_ALLOWED, Reason.BAD_SIGNATURE, Reason.OVER_LIMIT})
"""Reasons that lie in who sent an event, not in the event: what one sender may not do must not stop a lane for all, so
no flood counts them.
"""


class InvalidEvent(ValueError):
    """Raised while decoding or checking one event; becomes an `Invalid`."""

    def __init__(self, reason: Reason, detail: str, *, unneeded: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.unneeded = unneeded


class Invalid(msgspec.Struct, frozen=True):
    """One event that was refused: why, in words, and the bytes it was decoded from.

    `unneeded` are kinds that a sender is known to send and nobody here needs: refused, and no sign that anything is
    wrong.
    """

    reason: Reason
    detail: str
    body: bytes = b""
    unneeded: bool = False
