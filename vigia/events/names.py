"""Names that come from outside: services, environments, metrics, scopes, agents, external ids.

They end up as keys in Kafka, Cassandra and SQL, on terminals and in pages, so control characters, surrounding space
(SQL collations ignore it) and unbounded length are refused at the door.
"""

import unicodedata
from functools import lru_cache

from vigia.events.invalid import InvalidEvent, Reason

MAX_NAME = 200
"""Longest name, in characters."""

MAX_TEXT = 4_000
"""Longest free text (notes, titles, links), in characters."""

_REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@lru_cache(maxsize=65_536)
def name_problem(value: str) -> str:
    """Return what is wrong with `value` as a name, or the empty string; cached, since few names make most events."""
    if not value:
        return "is empty"
    if len(value) > MAX_NAME:
        return f"has {len(value)} characters; at most {MAX_NAME} are allowed"
    if value != value.strip():
        return "starts or ends with white space"
    if any(unicodedata.category(character) in _REFUSED for character in value):
        return "has control or invisible characters"
    return ""


def check_name(value: str, field: str) -> None:
    """Raise InvalidEvent unless `value` is a usable name."""
    # a hostile 10 kB name must not fill the cache
    problem = (
        name_problem(value)
        if len(value) <= MAX_NAME
        else f"has {len(value)} characters; at most {MAX_NAME} are allowed"
    )
    if problem:
        raise InvalidEvent(Reason.BAD_NAME, f"{field} {problem}: {value[:40]!r}")


def check_optional_name(value: str, field: str) -> None:
    """Raise InvalidEvent unless `value` is empty or a usable name."""
    if value:
        check_name(value, field)


def check_text(value: str, field: str) -> None:
    """Raise InvalidEvent when free text is longer than `MAX_TEXT` characters."""
    if len(value) > MAX_TEXT:
        raise InvalidEvent(Reason.TOO_LARGE, f"{field} has {len(value)} characters; at most {MAX_TEXT} are allowed")
