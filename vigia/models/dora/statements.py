"""What people and tools say of how incidents and deployments belong together: one row a statement, never replaced."""

from collections.abc import Iterator

from vigia.events import dora
from vigia.events.deployments import Deployment, deployment_id
from vigia.events.feedback import AttributionCorrected, IncidentOpened, incident_id
from vigia.events.identity import derive_id
from vigia.events.summaries import AttributionSummary


def statements(event: Deployment | IncidentOpened | AttributionCorrected) -> Iterator[AttributionSummary]:
    """Return the rows of all that `event` says; their ids come from the event's, so a repeat gives the same rows."""
    if isinstance(event, AttributionCorrected):
        meant = "" if event.deployment is None else deployment_id(*event.deployment)
        yield _row(event, event.incident_id, meant, dora.CORRECTED, by=event.by, reason=event.reason)
    elif isinstance(event, IncidentOpened):
        for named in dict.fromkeys(event.deployments):
            yield _row(event, event.incident_id, deployment_id(*named), dora.LINKED)
    else:
        for named in dict.fromkeys(event.resolves):
            yield _row(event, incident_id(*named), event.deployment_id, dora.RESOLVES)


def _row(
    event: Deployment | IncidentOpened | AttributionCorrected,
    incident: str,
    deployment: str,
    kind: dora.Kind,
    *,
    by: str = "",
    reason: str = "",
) -> AttributionSummary:
    return AttributionSummary(
        attribution_id=derive_id("attribution", event.identity, incident, deployment, kind),
        scope=event.scope,
        incident_id=incident,
        deployment_id=deployment,
        kind=kind,
        at=event.occurred_at,
        by=by or event.source,
        reason=reason,
    )
