"""What a worker says of a deployment, made up."""

from typing import Any

from vigia.events.deployments import Deployment
from vigia.events.risk import Risk


def risk(event: Deployment | None = None, **more: Any) -> Risk:
    """Return the risk of `event`, or of any; `more` are further fields."""
    named: dict[str, Any] = {
        "deployment_id": event.deployment_id if event else "d",
        "source": "s",
        "external_id": "e",
        "service": event.service if event else "till",
        "scope": "payments",
        "probability": 0.31,
        "label": "intervention",
        "model": "m1",
        "learned_from": 412,
        "at": 0.0,
        "base_log_odds": -1.0,
    }
    return Risk(**named | more)
