"""Times as they travel: RFC 3339 text or Unix epoch seconds in, float epoch seconds inside.

A number that can only be epoch milliseconds (or finer) is refused, not guessed: guessing would put an event in the year
50,000 or, worse, would hide that half of a fleet sends another unit.
"""

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vigia.events.invalid import InvalidEvent, Reason

if TYPE_CHECKING:
    Time = float
else:
    Time = float | str

EARLIEST = 0.0
"""1970-01-01T00:00:00Z; anything before is a negative time."""

LATEST = 32_503_680_000.0
"""3000-01-01T00:00:00Z in epoch seconds; every epoch time in milliseconds since 1971 lies above it."""

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def epoch_seconds(value: float | str, field: str) -> float:
    """Return `value` as float epoch seconds.

    Raises InvalidEvent naming `field` when the value is not RFC 3339 with an offset, not finite, negative, or in a
    finer unit than seconds.
    """
    number = _from_text(value, field) if isinstance(value, str) else float(value)
    if EARLIEST <= number < LATEST:
        return number
    if not math.isfinite(number):
        raise InvalidEvent(Reason.NOT_FINITE, f"{field} is {number}: a time must be a finite number")
    if number < EARLIEST:
        raise InvalidEvent(Reason.NEGATIVE_TIME, f"{field} is {number:.0f}: a time before 1970 is not accepted")
    raise InvalidEvent(
        Reason.NOT_SECONDS,
        f"{field} is {number:.0f}: looks like epoch milliseconds or finer; send epoch seconds or RFC 3339",
    )


def _from_text(value: str, field: str) -> float:
    if not _RFC3339.fullmatch(value):
        raise InvalidEvent(
            Reason.BAD_TIME,
            f"{field} is {value[:64]!r}: send RFC 3339 with an offset (2026-01-31T12:00:00Z) or epoch seconds",
        )
    try:
        # fromisoformat wants at most six fractional digits
        trimmed = re.sub(r"(\.\d{6})\d+", r"\1", value.upper().replace(" ", "T"))
        return datetime.fromisoformat(trimmed).timestamp()
    except (ValueError, OverflowError) as error:
        raise InvalidEvent(Reason.BAD_TIME, f"{field} is {value[:64]!r}: {error}") from error


def rfc3339(seconds: float) -> str:
    """Return epoch `seconds` as RFC 3339 in UTC with millisecond precision."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
