"""Dead letters for tests of `scripts/dead_letters.py`."""

from typing import Any

from vigia.events.dead_letter import MAX_BODY
from vigia.stores.base import DeadLetterRow, LaneId, Summaries

LANE = LaneId("metrics", 3)
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[red]\u202e\r\x00"
GOOD = b'{"service": "shop", "metric": "latency", "ts": 1, "value": 1}'
LONG = b'{"service": "shop", "note": "' + b"x" * MAX_BODY + b'"}'
"""More than a letter keeps of a body."""


def letter(number: int, **more: Any) -> DeadLetterRow:
    """Return an open letter of a sample without metric; `number` is its id and offset."""
    body = more.pop("body", b'{"service": "shop"}')
    fields: dict[str, Any] = {
        "letter_id": f"{number:032x}",
        "lane": LANE,
        "cluster_id": "cluster",
        "topic": "metrics",
        "offset": number,
        "position": 0,
        "reason": "missing_field",
        "detail": "Object missing required field `metric`",
        "at": 1_790_000_000.0 + number,
        "key": b"shop",
        "body": body[:MAX_BODY],
        "body_size": len(body),
        **more,
    }
    return DeadLetterRow(**fields)


def status(summaries: Summaries, number: int) -> str:
    """Return the status of a letter."""
    found = summaries.dead_letter(f"{number:032x}")
    assert found is not None
    return found.status
