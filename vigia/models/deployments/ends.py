"""How deployments ended, as the lanes of their services are told: each end once, and again when it is known better."""

from math import inf
from typing import cast

from vigia.events.base import HISTORY_ENVIRONMENT
from vigia.events.deployed import Deployed, Ended
from vigia.events.deployments import Kind, deployment_id
from vigia.models.deployments.states import DeploymentState


def of(state: DeploymentState) -> Deployed | None:
    """Return how a deployment ended as far as is known; None while it has not, and for recorded history."""
    if state.finished_at is None or state.environment == HISTORY_ENVIRONMENT:
        return None
    return Deployed(
        service=state.service,
        deployment_id=deployment_id(state.source, state.external_id),
        source=state.source,
        external_id=state.external_id,
        at=state.finished_at,
        status=cast("Ended", state.status),
        kind=cast("Kind", state.kind or "deployment"),
        environment=state.environment,
        version=state.version,
        commit=_commit(state),
    )


def _commit(state: DeploymentState) -> str:
    # the order in which they were told says nothing
    made = {sha: -inf if at is None else at for sha, at in state.brought.commits.items()}
    latest = max(made, key=lambda sha: (made[sha], sha), default="")
    return latest if len(made) == 1 or made.get(latest, -inf) > -inf else ""
