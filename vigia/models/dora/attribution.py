"""Which deployment caused an incident, how sure that is, and why.

What a person said last wins, then what the incident itself names, then the latest deployment of the same service and
environment that began within the attribution window before it. Nothing here depends on who asks for which window, and
an incident has one cause at most, so it counts once.
"""

from collections.abc import Sequence

import msgspec

from vigia.events import dora
from vigia.events.dora_facts import Cause, Incident, Statement


class Attribution(msgspec.Struct, frozen=True):
    """The cause of an incident, or in `excluded` why it counts for none. `confidence` is in [0, 1]."""

    cause: Cause | None
    confidence: float
    reason: str
    excluded: str = ""


def attribute(
    incident: Incident,
    statements: Sequence[Statement],
    nearby: Sequence[Cause],
    window: float,
    environments: Sequence[str],
) -> Attribution:
    """Return what caused `incident`; `nearby` are deployments of its service around it, the latest first.

    `window` is in seconds; `environments` are those that count as production.
    """
    if incident.environment not in environments:
        return Attribution(None, 1.0, f"it was in {incident.environment}", dora.NOT_PRODUCTION)
    corrections = [each for each in statements if each.kind == dora.CORRECTED]
    if corrections:
        return _corrected(incident, max(corrections, key=lambda each: (each.at, each.statement_id)), environments)
    linked = [each for each in statements if each.kind == dora.LINKED]
    if linked:
        return _linked(incident, linked, environments)
    return _inferred(incident, nearby, window)


def _corrected(incident: Incident, said: Statement, environments: Sequence[str]) -> Attribution:
    words = f"corrected by {said.by}" + (f": {said.reason}" if said.reason else "")
    if not said.deployment_id:
        return Attribution(None, 1.0, words, dora.CORRECTED_TO_NONE)
    if said.cause is None:
        return Attribution(None, 1.0, words, dora.UNKNOWN_DEPLOYMENT)
    return Attribution(said.cause, 1.0, words, _unfit(incident, said.cause, environments))


def _linked(incident: Incident, said: Sequence[Statement], environments: Sequence[str]) -> Attribution:
    causes = {each.deployment_id: each.cause for each in said}
    known = [cause for cause in causes.values() if cause is not None]
    if not known:
        return Attribution(None, 1.0, "the incident names a deployment that is not known", dora.UNKNOWN_DEPLOYMENT)
    fit = [cause for cause in known if not _unfit(incident, cause, environments)]
    chosen = max(fit or known, key=lambda each: (each.exposed_at or each.at, each.deployment_id))
    words = "the incident names it" if len(causes) == 1 else f"the latest of {len(causes)} that the incident names"
    return Attribution(chosen, 1 / len(causes), words, _unfit(incident, chosen, environments))


def _inferred(incident: Incident, nearby: Sequence[Cause], window: float) -> Attribution:
    if not incident.service:
        return Attribution(None, 0.0, "it names no service", dora.NO_SERVICE)
    before = [
        each
        for each in nearby
        if each.exposed_at is not None and incident.opened_at - window < each.exposed_at <= incident.opened_at
    ]
    if not before:
        return Attribution(None, 0.0, f"no deployment in the {window / 3600:g} h before", dora.NO_DEPLOYMENT)
    latest = max(before, key=lambda each: (each.exposed_at or 0.0, each.deployment_id))
    which = "the only deployment" if len(before) == 1 else f"the latest of {len(before)} deployments"
    # each of them, and no deployment at all, is as likely as the next
    return Attribution(latest, 1 / (len(before) + 1), f"{which} in the {window / 3600:g} h before")


def _unfit(incident: Incident, cause: Cause, environments: Sequence[str]) -> str:
    if cause.environment not in environments:
        return dora.NOT_PRODUCTION
    if cause.exposed_at is None:
        return cause.excluded
    return dora.DEPLOYED_LATER if cause.exposed_at > incident.opened_at else ""


def made_for(incident: Incident, nearby: Sequence[Cause], window: float) -> Cause | None:
    """Return the deployment that ended an incident: the last that began while it was open, within `window` seconds."""
    if incident.resolved_at is None:
        return None
    during = [
        each
        for each in nearby
        if each.exposed_at is not None
        and not each.excluded
        and incident.opened_at < each.exposed_at <= incident.resolved_at
        and each.exposed_at < incident.opened_at + window
    ]
    return max(during, key=lambda each: (each.exposed_at or 0.0, each.deployment_id), default=None)
