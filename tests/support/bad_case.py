"""How a case of bad input is written down, and the good events around it; the table itself is `bad_input.py`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.records import Headers
from vigia.events.invalid import Reason
from vigia.streaming.partitions import partition_of

PARTITIONS = 4
SERVICE, SCOPE, AI_AGENT = "shop", "checkout", "triage"
Value = Callable[[float], bytes | None]
"""The record's value, for an epoch time of sending in seconds."""


@dataclass(frozen=True)
class Expected:
    """What becomes of a case's events: how many are applied, sent on under their right key, or taken for a tick.

    With `reason`, the event at `position` is refused for it, and the detail says `says`.
    """

    reason: Reason | None = None
    says: str = ""
    position: int = 0
    applied: int = 0
    moved: int = 0


@dataclass(frozen=True)
class Case:
    """One record; with `first`, a good one that is sent before it. `misplaced`: in another partition than its key's."""

    name: str
    value: Value
    expected: Expected
    topic: str = "metrics"
    key: bytes | None = SERVICE.encode()
    misplaced: bool = False
    headers: Headers = ()
    first: Value | None = None
    moves_to: str = SERVICE

    @property
    def partition(self) -> int:
        """The partition it is sent to."""
        return (partition_of(self.key or b"", PARTITIONS) + self.misplaced) % PARTITIONS


def sample(now: float, **fields: Any) -> dict[str, Any]:
    """Return a good sample, but for `fields`; None leaves a field out."""
    given = {"service": SERVICE, "metric": "latency", "ts": now, "value": 1.5, **fields}
    return {name: value for name, value in given.items() if value is not None}


def deployment(now: float, **fields: Any) -> dict[str, Any]:
    """Return a good deployment event, but for `fields`."""
    given = {
        "type": "deployment",
        "source": "ci",
        "external_id": "1",
        "service": SERVICE,
        "scope": SCOPE,
        "stage": "started",
        "at": now,
        **fields,
    }
    return {name: value for name, value in given.items() if value is not None}


def outcome(now: float, **fields: Any) -> dict[str, Any]:
    """Return a good outcome of a deployment, but for `fields`."""
    given = {"type": "deployment.outcome", "source": "ci", "scope": SCOPE, "failed": False, "label": "intervention"}
    return {**given, "at": now, **fields}


def decision(now: float, **fields: Any) -> dict[str, Any]:
    """Return a good decision of an AI agent, but for `fields`."""
    given = {"type": "decision", "agent": AI_AGENT, "decision_id": "d1", "decision_type": "triage", "decision": "page"}
    return {**given, "at": now, **fields}


def encoded(event: object) -> bytes:
    """Return an event as a sender writes it."""
    return json.dumps(event).encode()


GOOD: dict[str, tuple[bytes, Callable[[float, int], bytes]]] = {
    "metrics": (SERVICE.encode(), lambda now, number: encoded(sample(now, event_id=f"good-{number}"))),
    "deployments": (SCOPE.encode(), lambda now, number: encoded(deployment(now, external_id=f"good-{number}"))),
    "feedback": (SCOPE.encode(), lambda now, number: encoded(outcome(now, external_id=f"good-{number}"))),
    "ai-decisions": (AI_AGENT.encode(), lambda now, number: encoded(decision(now, decision_id=f"good-{number}"))),
}
"""By topic: the key of its good events, and the good event with a number, for an epoch time in seconds."""
