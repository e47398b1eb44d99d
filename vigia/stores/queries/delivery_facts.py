"""All that a report about deliveries is made from, in one call."""

from vigia.events.dora_facts import Facts, Question
from vigia.stores.queries.delivery_counts import delivery_counts, earliest_delivery, first_deliveries
from vigia.stores.queries.incident_causes import (
    causes_said,
    incidents_asked,
    nearby_deployments,
    never_opened,
    resolving_deployments,
)
from vigia.stores.queries.lead_times import Ranks, lead_times
from vigia.stores.queries.reader import Reader


def delivery_facts(reader: Reader, question: Question, ranks: Ranks, *, days: bool = False) -> Facts:
    """Return the facts that answer `question`; `ranks` names which lead times, by rank, once it is told how many.

    With `days`, each day's median lead time comes with them. Raises as the reader does.
    """
    said = causes_said(reader, question)
    incidents = {each.key: each for each in (*incidents_asked(reader, question), *said)}
    return Facts(
        question=question,
        counts=delivery_counts(reader, question),
        earliest=earliest_delivery(reader, question),
        lead_times=lead_times(reader, question, first_deliveries(reader, question), ranks, days=days),
        incidents=list(incidents.values()),
        nearby=nearby_deployments(reader, question, incidents.values()),
        statements={incident.key: statements for incident, statements in said.items()},
        resolving=resolving_deployments(reader, question),
        never_opened=never_opened(reader, question),
    )
