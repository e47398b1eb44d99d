"""How what came of a pipeline run, or was merged before it, reaches the deployments that name the run.

Whichever comes first waits under the name that they share; when the other arrives, the model tells itself what follows:
an outcome of the deployment, or a change that it was planned with. So the order does not matter, and what was told
stands in the raw log like everything that others tell. Ids are derived from the causes: told twice it counts once.
"""

from collections.abc import Iterator

from vigia.events.deployments import Commit, Deployment
from vigia.events.feedback import ChangeMerged, Outcome, PipelineRun
from vigia.events.identity import derive_id
from vigia.models.deployments.states import RunState

MAX_DEPLOYMENTS = 100
"""Most deployments that are remembered under one name, the first ones: a run deploys to few environments."""

MAX_CHANGES = 100
"""Most changes that are remembered under one name, the first ones."""

_ENDS = {"succeeded": False, "failed": True}

Follows = Deployment | Outcome


def join(state: RunState, event: Deployment) -> Iterator[Follows]:
    """Put a deployment under a name it gives; return what follows of what is known there."""
    deployment = event.source, event.external_id, event.service, event.environment
    if any(held[:2] == deployment[:2] for held in state.deployments) or len(state.deployments) >= MAX_DEPLOYMENTS:
        return
    state.deployments.append(deployment)
    if state.end is not None:
        yield _outcome(event.scope, deployment, state.end)
    for change in state.changes:
        yield _planned(event.scope, deployment, change)


def finish(state: RunState, event: PipelineRun) -> Iterator[Follows]:
    """Put a run's end under a name of it; return what follows for the deployments that are known there."""
    if event.status not in _ENDS:
        return
    end = event.at, _ENDS[event.status], event.external_id
    if state.end is not None and end <= state.end:
        return
    state.end = end
    for deployment in state.deployments:
        yield _outcome(event.scope, deployment, end)


def merge(state: RunState, event: ChangeMerged) -> Iterator[Follows]:
    """Put a change under a name it gives; return what follows for the deployments that are known there."""
    change = event.at, event.external_id
    if change in state.changes or len(state.changes) >= MAX_CHANGES:
        return
    state.changes.append(change)
    for deployment in state.deployments:
        yield _planned(event.scope, deployment, change)


def _outcome(scope: str, deployment: tuple[str, str, str, str], end: tuple[float, bool, str]) -> Outcome:
    source, external_id, service, _environment = deployment
    at, failed, run = end
    return Outcome(
        source=source,
        external_id=external_id,
        scope=scope,
        service=service,
        at=at,
        failed=failed,
        label="ci_status",
        reason=f"run {run}",
        by="deployments-agent",
        event_id=derive_id("run-outcome", source, external_id, run, repr(at), str(failed)),
    )


def _planned(scope: str, deployment: tuple[str, str, str, str], change: tuple[float, str]) -> Deployment:
    source, external_id, service, environment = deployment
    at, sha = change
    return Deployment(
        source=source,
        external_id=external_id,
        scope=scope,
        service=service,
        environment=environment,
        stage="planned",
        at=at,
        commits=[Commit(sha=sha, committed_at=at)],
        event_id=derive_id("run-change", source, external_id, sha, repr(at)),
    )
