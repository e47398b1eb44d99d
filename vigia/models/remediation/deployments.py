"""The latest deployments of a service to one environment, and which of them came before a problem. Pure data.

It is looked up when a fix is proposed, and for nothing else: no problem opens or closes by it. That a deployment came
before a problem does not say that it caused it.
"""

import msgspec

from vigia.events.deployed import Deployed, Ended
from vigia.events.deployments import Kind
from vigia.events.remediation import DeploymentBefore

MOST = 8
"""Deployments that are remembered, those that ended last."""

SHOWN_OF_COMMIT = 12
"""Characters of a commit's name that are shown."""

DAY, HOUR, MINUTE = 86_400, 3_600, 60

_DONE: dict[Kind, str] = {"deployment": "deployed", "publication": "published", "removal": "removed"}
_BADLY: dict[Ended, str] = {"failed": "failed", "cancelled": "was cancelled"}


class End(msgspec.Struct, array_like=True, frozen=True):
    """How a deployment ended. One that a tool tried again has ended more than once."""

    at: float
    deployment_id: str
    source: str
    external_id: str
    status: Ended
    kind: Kind
    version: str = ""
    commit: str = ""


class DeployedState(msgspec.Struct, array_like=True, frozen=True):
    """What is known of one service in one environment, in the order in which it ended."""

    ends: tuple[End, ...] = ()


def take(state: DeployedState, event: Deployed) -> DeployedState:
    """Return the state with an end. Told again it stands in its own place: what is told last of an end counts."""
    end = End(
        event.at,
        event.deployment_id,
        event.source,
        event.external_id,
        event.status,
        event.kind,
        event.version,
        event.commit,
    )
    others = (each for each in state.ends if _place(each) != _place(end))
    return DeployedState(tuple(sorted((*others, end), key=_place)[-MOST:]))


def before(state: DeployedState | None, onset: float) -> DeploymentBefore | None:
    """Return the latest of those that had ended at `onset` (epoch seconds); None where none is known."""
    known = () if state is None else state.ends
    end = max((each for each in known if each.at <= onset), key=_place, default=None)
    if end is None:
        return None
    return DeploymentBefore(
        deployment_id=end.deployment_id,
        source=end.source,
        external_id=end.external_id,
        status=end.status,
        kind=end.kind,
        version=end.version,
        commit=end.commit,
        at=end.at,
        seconds_before=onset - end.at,
    )


def in_words(service: str, deployment: DeploymentBefore) -> str:
    """Return in a few words how long after which deployment a problem opened.

    >>> told = dict(deployment_id="d", source="ci", external_id="7", at=0.0, seconds_before=720.0)
    >>> in_words("shop", DeploymentBefore(**told, status="succeeded", version="1.42.0"))
    '12 min after shop 1.42.0 was deployed'
    >>> in_words("shop", DeploymentBefore(**told, status="succeeded", kind="rollback", version="1.41.9"))
    '12 min after shop was rolled back to 1.41.9'
    >>> in_words("shop", DeploymentBefore(**told, status="failed"))
    '12 min after a deployment of shop failed'
    """
    version = deployment.version or deployment.commit[:SHOWN_OF_COMMIT]
    what = f"{service} {version}" if version else service
    if deployment.status != "succeeded":
        happened = f"a {deployment.kind} of {what} {_BADLY[deployment.status]}"
    elif deployment.kind == "rollback":
        happened = f"{service} was rolled back to {version}" if version else f"{service} was rolled back"
    else:
        happened = f"{what} was {_DONE[deployment.kind]}"
    return f"{_span(deployment.seconds_before)} after {happened}"


def _place(end: End) -> tuple[float, str]:
    return end.at, end.deployment_id


def _span(seconds: float) -> str:
    """Return whole units, of the greatest of which there are at least two."""
    for unit, name in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"
