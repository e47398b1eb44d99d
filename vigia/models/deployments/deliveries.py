"""Writes the facts of the delivery metrics: what `vigia.models.dora` makes of deployments and incidents."""

from vigia.events.deployments import Deployment
from vigia.events.effects import Changes
from vigia.events.feedback import AttributionCorrected, IncidentOpened, IncidentResolved, Outcome
from vigia.events.summaries import DeliveredCommitSummary, Summary
from vigia.models.deployments.states import DeploymentState
from vigia.models.dora import deliveries
from vigia.models.dora.statements import statements


def merge(row: Summary, partial: Summary) -> Summary:
    """Return the row of a commit with what `partial` says of some of the deployments that brought it."""
    if isinstance(row, DeliveredCommitSummary) and isinstance(partial, DeliveredCommitSummary):
        return deliveries.merge(row, partial)
    raise NotImplementedError(f"only rows of commits are corrected, not {row!r} by {partial!r}")


def write(event: Deployment | Outcome, state: DeploymentState, changes: Changes) -> None:
    """Write the rows of a scored deployment, whose `state` is brought up to `event` but for its commits, which are
    counted here.
    """
    if isinstance(event, Deployment):
        for partial in deliveries.bring(state.brought, event, _known(event.deployment_id, state)):
            changes.correct(partial, merge)
        state.commits = max(state.commits, len(state.brought.commits))
        write_statements(event, changes)
    changes.write(deliveries.summary(_known(event.deployment_id, state)))


def write_statements(
    event: Deployment | IncidentOpened | IncidentResolved | AttributionCorrected, changes: Changes
) -> None:
    """Write what `event` says of how an incident and a deployment belong together."""
    if not isinstance(event, IncidentResolved):
        for row in statements(event):
            changes.write(row)


def _known(deployment_id: str, state: DeploymentState) -> deliveries.Known:
    intervention = state.outcomes.get("intervention")
    return deliveries.Known(
        deployment_id=deployment_id,
        scope=state.scope,
        service=state.service,
        environment=state.environment,
        kind=state.kind,
        stage=state.stage,
        status=state.status,
        planned_at=state.planned_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        intervention=None if intervention is None else intervention.failed,
        listed=bool(state.brought.commits),
    )
