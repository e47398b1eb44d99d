"""Which deployments of the window failed and which were rework, from the incidents and what was said of them."""

from collections import Counter

import msgspec

from vigia.events import dora
from vigia.events.dora_facts import Cause, Facts
from vigia.models.dora.attribution import Attribution, attribute, made_for

Place = tuple[str, str]
"""A deployment's id and scope."""


class Recovery(msgspec.Struct, frozen=True):
    """How long users were without service (seconds), from an incident being opened to its resolution."""

    opened_at: float
    seconds: float


class Failures(msgspec.Struct, frozen=True):
    """What incidents say of the deployments asked for."""

    failed: dict[Place, Cause]
    """Deployments in the window to which an incident is attributed, each once, however many incidents it caused."""
    rework: dict[Place, Cause]
    """Deployments in the window that were made for an incident."""
    recoveries: list[Recovery]
    """Of incidents opened in the window and attributed to a deployment."""
    excluded: Counter[str]
    """Incidents opened in the window that count for no deployment, by reason."""
    unresolved: int
    """Incidents opened in the window that are attributed, and not resolved."""


def failures(facts: Facts) -> Failures:
    """Return what incidents say of the deployments asked for."""
    question = facts.question
    found = Failures({}, {_place(each): each for each in facts.resolving if _counts(each, facts)}, [], Counter(), 0)
    unresolved = 0
    for incident in facts.incidents:
        nearby = facts.nearby.get(incident.key, [])
        said = facts.statements.get(incident.key, [])
        cause = attribute(incident, said, nearby, question.attribution_window, question.environments)
        fix = made_for(incident, nearby, question.attribution_window)
        if fix is not None and _in_window(fix, facts) and _counts(fix, facts):
            found.rework[_place(fix)] = fix
        if not cause.excluded and cause.cause is not None and _in_window(cause.cause, facts):
            found.failed[_place(cause.cause)] = cause.cause
        if not question.since <= incident.opened_at < question.until:
            continue
        reason = _not_counted(cause, facts, of_asked=question.has(incident.scope, incident.service, incident.opened_at))
        if reason:
            found.excluded[reason] += 1
        elif reason is None:
            continue
        elif incident.resolved_at is None:
            unresolved += 1
        else:
            found.recoveries.append(Recovery(incident.opened_at, incident.resolved_at - incident.opened_at))
    found.excluded[dora.NOT_OPENED] += facts.never_opened
    return msgspec.structs.replace(found, unresolved=unresolved)


def _not_counted(cause: Attribution, facts: Facts, *, of_asked: bool) -> str | None:
    """Return why an incident does not count; empty when it does, None when it is nobody's here."""
    if not cause.excluded and cause.cause is not None:
        deployment = cause.cause
        if facts.question.has(deployment.scope, deployment.service, deployment.at):
            return ""
        return dora.OTHER_SERVICE if of_asked else None
    return cause.excluded if of_asked else None


def _in_window(cause: Cause, facts: Facts) -> bool:
    question = facts.question
    return question.since <= cause.at < question.until and question.has(cause.scope, cause.service, cause.at)


def _counts(cause: Cause, facts: Facts) -> bool:
    return not cause.excluded and cause.environment in facts.question.environments


def _place(cause: Cause) -> Place:
    return cause.deployment_id, cause.scope
