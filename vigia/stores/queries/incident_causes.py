"""Incidents, the deployments around them, and what people and tools say caused them.

Deployments around an incident are found whatever the question's window: what caused an incident must not depend on when
somebody asks. A database finds them by service and day, since it cannot look up a range that another table names.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all

from vigia.events import dora
from vigia.events.dora_facts import Cause, Incident, Question, Statement
from vigia.events.summaries import AttributionSummary, DeliverySummary, IncidentSummary
from vigia.stores.queries.delivery_conditions import asked, between, day_of, in_window
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_tables import TABLES

BEFORE = dora.DAY
"""Seconds by which an incident may be older than the end of the deployment that caused it: see `LONGEST_ROLLOUT`."""

_incidents, _deliveries = TABLES[IncidentSummary], TABLES[DeliverySummary]
_attributions = TABLES[AttributionSummary]

_INCIDENT = [_incidents.c[each] for each in Incident.__struct_fields__]
_CAUSE = [_deliveries.c[each].label(f"cause_{each}") for each in Cause.__struct_fields__]

Key = tuple[str, str]


def incidents_asked(reader: Reader, question: Question) -> list[Incident]:
    """Return the incidents that may have been caused by deployments in the window."""
    query = select(*_INCIDENT).where(*_opened_near(question), *_of_asked(question))
    return [Incident(*row) for row in reader.fetch(query)]


def never_opened(reader: Reader, question: Question) -> int:
    """Return how many incidents were resolved in the window whose beginning nobody told."""
    columns = _incidents.c
    query = (
        select(func.count())
        .select_from(_incidents)
        .where(
            columns.opened_at.is_(None),
            between(columns.resolved_at, question.since, question.until),
            *asked(question, _incidents, columns.resolved_at),
        )
    )
    return int(reader.fetch(query)[0][0])


def nearby_deployments(reader: Reader, question: Question, incidents: Iterable[Incident]) -> dict[Key, list[Cause]]:
    """Return the deployments that began within the attribution window before or after each incident, latest first.

    `incidents` are those of the question: what a deployment shares with its incident is not read again.
    """
    known = {each.key: each for each in incidents}
    reach = ceil(question.attribution_window / dora.DAY)
    parts = [_neighbours(question, day) for day in range(-reach, reach + 1)]
    found: defaultdict[Key, list[Cause]] = defaultdict(list)
    for incident_id, scope, deployment_id, at, exposed_at, excluded, intervention in reader.fetch(union_all(*parts)):
        incident = known.get((incident_id, scope))
        # one that was told between two queries counts the next time
        if incident is not None:
            cause = Cause(
                deployment_id, scope, incident.service, incident.environment, at, exposed_at, excluded, intervention
            )
            found[incident_id, scope].append(cause)
    for causes in found.values():
        causes.sort(key=lambda each: (each.exposed_at or 0.0, each.deployment_id), reverse=True)
    return dict(found)


def causes_said(reader: Reader, question: Question) -> dict[Incident, list[Statement]]:
    """Return what was said of the causes of incidents; such an incident may be much younger than its cause."""
    said = _attributions.c
    joined = (
        select(
            *_INCIDENT,
            said.attribution_id,
            said.kind,
            said.deployment_id,
            said.at,
            said.by,
            said.reason,
            *_CAUSE,
        )
        .select_from(_attributions)
        .join(_incidents, and_(_incidents.c.incident_id == said.incident_id, _incidents.c.scope == said.scope))
        .outerjoin(
            _deliveries, and_(_deliveries.c.deployment_id == said.deployment_id, _deliveries.c.scope == said.scope)
        )
        .where(said.kind.in_([dora.LINKED, dora.CORRECTED]), _incidents.c.opened_at >= question.since - BEFORE)
    )
    if question.of == "service":
        # a deployment of this service may have caused an incident of another one
        joined = joined.where(or_(_incidents.c.service == question.name, _deliveries.c.service == question.name))
    else:
        joined = joined.where(*_of_asked(question))
    found: defaultdict[Incident, list[Statement]] = defaultdict(list)
    width = len(_INCIDENT)
    for row in reader.fetch(joined):
        # the columns of a statement, between those of its incident and its cause
        statement: tuple[str, str, str, float, str, str] = tuple(row[width : width + 6])
        cause = row[width + 6 :]
        known = Cause(*cause) if cause[0] is not None else None
        found[Incident(*row[:width])].append(Statement(*statement, known))
    return dict(found)


def resolving_deployments(reader: Reader, question: Question) -> list[Cause]:
    """Return the deployments in the window that were said to be made for an incident."""
    said, columns = _attributions.c, _deliveries.c
    query = (
        select(*_CAUSE)
        .distinct()
        .select_from(_attributions)
        .join(_deliveries, and_(columns.deployment_id == said.deployment_id, columns.scope == said.scope))
        .where(
            said.kind == dora.RESOLVES,
            in_window(question, _deliveries),
            *asked(question, _deliveries, columns.at),
        )
    )
    return [Cause(*row) for row in reader.fetch(query)]


def _of_asked(question: Question) -> list[ColumnElement[bool]]:
    """Return what keeps incidents of the teams asked for, at any time: a team may have moved since its deployment."""
    if question.of == "organisation":
        return [_incidents.c.scope.in_(sorted({each.scope for each in question.memberships}))]
    return asked(question, _incidents, _incidents.c.opened_at)


def _opened_near(question: Question) -> list[ColumnElement[bool]]:
    until = question.until + question.attribution_window
    return [between(_incidents.c.opened_at, question.since - BEFORE, until)]


def _neighbours(question: Question, day: int) -> Select[*tuple[Any, ...]]:
    """Return the deployments that began so many days after the incident's, within the attribution window, and before
    the incident was resolved.
    """
    incident, delivery = _incidents.c, _deliveries.c
    window = question.attribution_window
    until = func.coalesce(incident.resolved_at, incident.opened_at)
    conditions = [
        *_opened_near(question),
        incident.environment.in_(question.environments),
        incident.service != "",
        *_of_asked(question),
    ]
    if day > 0:
        conditions.append(day_of(until) >= day_of(incident.opened_at) + day)
    return (
        select(
            incident.incident_id,
            incident.scope,
            delivery.deployment_id,
            delivery.at,
            delivery.exposed_at,
            delivery.excluded,
            delivery.intervention,
        )
        .select_from(_incidents)
        .join(
            _deliveries,
            and_(
                delivery.scope == incident.scope,
                delivery.service == incident.service,
                delivery.environment == incident.environment,
                delivery.exposed_day == day_of(incident.opened_at) + day,
                delivery.exposed_at > incident.opened_at - window,
                delivery.exposed_at < incident.opened_at + window,
                or_(delivery.exposed_at <= incident.opened_at, delivery.exposed_at <= until),
            ),
        )
        .where(*conditions)
    )
