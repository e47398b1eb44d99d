"""How what came of a pipeline run, or was merged before it, reaches the deployments that name the run.

Whichever comes first waits under the name that they share; when the other arrives, the model tells itself what follows:
an outcome of the deployment, or a change that it was planned with. So the order does not matter, and what was told
stands in the raw log like everything that others tell. Ids are derived from the causes: told twice it counts once.
"""

from collections.abc import Iterator, Mapping

from vigia.events.deployments import MAX_COMMITS, Commit, Deployment
from vigia.events.feedback import OWN_SENDER, ChangeMerged, Outcome, PipelineRun
from vigia.events.identity import derive_id
from vigia.models.deployments.states import End, RunState

MAX_DEPLOYMENTS = 100
"""Most deployments that are remembered under one name, the first ones: a run deploys to few environments."""

MAX_CHANGES = MAX_COMMITS
"""Most changes that are remembered under one name, the first ones."""

MAX_PIPELINES = 100
"""Most pipelines whose ends are remembered under one name, the first ones."""

_ENDS = {"succeeded": False, "failed": True}

Follows = Deployment | Outcome


def join(state: RunState, event: Deployment) -> Iterator[Follows]:
    """Put a deployment under a name it gives; return what follows of what is known there."""
    deployment = event.source, event.external_id, event.service, event.environment
    if any(held[:2] == deployment[:2] for held in state.deployments) or len(state.deployments) >= MAX_DEPLOYMENTS:
        return
    state.deployments.append(deployment)
    if state.ends:
        yield _outcome(event.scope, deployment, state.ends)
    for change in state.changes:
        yield _planned(event.scope, deployment, change)


def finish(state: RunState, event: PipelineRun) -> Iterator[Follows]:
    """Put a run's end under a name of it; return what follows for the deployments that are known there."""
    if event.status not in _ENDS:
        return
    end, pipeline = (event.at, _ENDS[event.status], event.external_id), _pipeline(event)
    held, before = state.ends.get(pipeline), _deciding(state.ends) if state.ends else None
    if held is not None and end <= held:
        return
    if held is None and len(state.ends) >= MAX_PIPELINES:
        return
    if pipeline and state.ends.get("", end)[2] == event.external_id:
        # until now it was not known what this is a run of
        state.ends.pop("", None)
    state.ends[pipeline] = end
    state.end = max(state.ends.values())
    if _deciding(state.ends) != before:
        for deployment in state.deployments:
            yield _outcome(event.scope, deployment, state.ends)


def merge(state: RunState, event: ChangeMerged) -> Iterator[Follows]:
    """Put a change under a name it gives; return what follows for the deployments that are known there."""
    change = event.at, event.external_id
    if change in state.changes or len(state.changes) >= MAX_CHANGES:
        return
    state.changes.append(change)
    for deployment in state.deployments:
        yield _planned(event.scope, deployment, change)


def _pipeline(event: PipelineRun) -> str:
    return derive_id("pipeline", event.source, event.pipeline) if event.pipeline else ""


def _deciding(ends: Mapping[str, End]) -> End:
    """Return which of the ends of several pipelines decides: the first failure, since no success hides it, or else the
    last success.
    """
    return min((end for end in ends.values() if end[1]), default=max(ends.values()))


def _outcome(scope: str, deployment: tuple[str, str, str, str], ends: Mapping[str, End]) -> Outcome:
    source, external_id, service, _environment = deployment
    since, failed, run = _deciding(ends)
    # of all ends: what is said again after something else was said is another event
    told = [part for pipeline in sorted(ends) for part in (pipeline, *map(repr, ends[pipeline]))]
    return Outcome(
        source=source,
        external_id=external_id,
        scope=scope,
        service=service,
        # a failure that is told late must not lie before the successes that were told already
        at=max(ends.values())[0],
        failed=failed,
        label="ci_status",
        reason=f"run {run}",
        by="deployments-agent",
        sender=OWN_SENDER,
        event_id=derive_id("run-outcome", source, external_id, *told),
        since=since,
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
