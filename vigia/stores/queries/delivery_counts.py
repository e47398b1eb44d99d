"""How many deployments there were, day by day, and when each service was first delivered."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select

from vigia.events.dora_facts import DeliveryCount, Question
from vigia.events.summaries import DeliverySummary
from vigia.stores.queries.delivery_conditions import asked, in_window
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_tables import TABLES

_deliveries = TABLES[DeliverySummary]


class FirstDelivery(msgspec.Struct, frozen=True):
    """When a service was first delivered to an environment, by whichever team."""

    service: str
    environment: str
    at: float


def delivery_counts(reader: Reader, question: Question) -> list[DeliveryCount]:
    """Return the deployments in the window, counted by day and by what the metrics tell apart.

    An index holds them in the order of the groups, so nothing is sorted.
    """
    columns = _deliveries.c
    group = (columns.day, columns.environment, columns.excluded, columns.intervention, columns.listed)
    conditions = in_window(question, _deliveries), *asked(question, _deliveries, columns.at)
    query = select(*group, func.count()).where(*conditions).group_by(*group)
    return [
        DeliveryCount(day, environment, excluded, intervention, bool(listed), count)
        for day, environment, excluded, intervention, listed, count in reader.fetch(query)
    ]


def earliest_delivery(reader: Reader, question: Question) -> float | None:
    """Return when what is asked for was first delivered, whatever the window; None when it never was."""
    columns = _deliveries.c
    delivered = [
        columns.environment.in_(question.environments),
        columns.excluded == "",
        *asked(question, _deliveries, columns.at),
    ]
    days = reader.fetch(select(columns.day).where(*delivered).order_by(columns.day).limit(1))
    if not days:
        return None
    return float(reader.fetch(select(func.min(columns.at)).where(*delivered, columns.day == days[0][0]))[0][0])


def first_deliveries(reader: Reader, question: Question) -> Sequence[FirstDelivery]:
    """Return the first deliveries of services that lie in the window: one look into an index for each service."""
    columns = _deliveries.c
    query = (
        select(columns.service, columns.environment, func.min(columns.at))
        .where(columns.environment.in_(question.environments), columns.excluded == "")
        .group_by(columns.service, columns.environment)
    )
    if question.of == "service":
        query = query.where(columns.service == question.name)
    found = [FirstDelivery(*row) for row in reader.fetch(query)]
    return [each for each in found if question.since <= each.at < question.until]
