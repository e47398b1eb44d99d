"""How the events of one incident, in any order, make one state and one summary row."""

from vigia.events.feedback import AttributionCorrected, IncidentOpened, IncidentResolved
from vigia.events.summaries import IncidentSummary
from vigia.models.deployments.states import IncidentState


def advance(state: IncidentState, event: IncidentOpened | IncidentResolved | AttributionCorrected) -> None:
    """Bring `state` up to `event`.

    An incident may be opened again: severity and title are those of the latest opening (of two at one time, the worse
    and then the greater), and a resolution from before it does not count.
    """
    state.scope = state.scope or event.scope
    state.service = state.service or event.service
    if isinstance(event, AttributionCorrected):
        state.corrections += 1
        return
    state.environment = state.environment or event.environment
    if isinstance(event, IncidentResolved):
        state.resolved_at = event.at if state.resolved_at is None else max(state.resolved_at, event.at)
        return
    if state.first_opened_at is None or event.at < state.first_opened_at:
        state.first_opened_at = event.at
    held = state.last_opened_at
    if held is None or event.at > held or (event.at == held and _said(event) > _said(state)):
        state.last_opened_at = event.at
        state.severity, state.title = event.severity, event.title


def summary(incident_id: str, state: IncidentState) -> IncidentSummary | None:
    """Return the row of an incident; None while only corrections of it have been seen."""
    if state.first_opened_at is None and state.resolved_at is None:
        return None
    resolved = state.resolved_at
    if resolved is not None and state.last_opened_at is not None and resolved < state.last_opened_at:
        resolved = None
    return IncidentSummary(
        incident_id=incident_id,
        source=state.source,
        external_id=state.external_id,
        scope=state.scope,
        service=state.service,
        environment=state.environment,
        severity=state.severity,
        title=state.title,
        opened_at=state.first_opened_at,
        resolved_at=resolved,
    )


def _said(opening: IncidentOpened | IncidentState) -> tuple[int, str]:
    # a lower number is worse
    return -int(opening.severity.removeprefix("P")), opening.title
