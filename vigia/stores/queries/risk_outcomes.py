"""How risk scores stand to what came of the deployments: counted by the database, in classes of risk."""

from typing import Any

import msgspec
from sqlalchemy import Integer, cast, func, select

from vigia.events.dora_facts import Question
from vigia.events.summaries import DeploymentSummary
from vigia.stores.queries.delivery_conditions import asked, between
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_tables import TABLES

CLASSES = 20
"""Classes of risk, of equal width: the first is [0, 0.05), and the last has 1 too."""


class RiskCount(msgspec.Struct, frozen=True):
    """How many deployments are alike."""

    risk_class: int
    model: str
    outcome: str
    """`failed`, `succeeded`, or empty while none is known."""
    outcome_label: str
    count: int
    risk: float
    """The sum of their risks, each in [0, 1]."""


def risk_outcomes(reader: Reader, question: Question) -> list[RiskCount]:
    """Return the scored deployments whose latest stage came in the question's window, in whichever environment."""
    columns = TABLES[DeploymentSummary].c
    risk_class: Any = cast(func.floor(func.coalesce(columns.risk, 0.0) * CLASSES), Integer)
    group = (risk_class, columns.model, columns.outcome, columns.outcome_label)
    query = (
        select(*group, func.count(), func.sum(columns.risk))
        .where(
            columns.risk.is_not(None),
            between(columns.latest_at, question.since, question.until),
            *asked(question, TABLES[DeploymentSummary], columns.latest_at),
        )
        .group_by(*group)
        .order_by(*group)
    )
    return [
        RiskCount(min(CLASSES - 1, int(place)), model, outcome, label, count, float(risk))
        for place, model, outcome, label, count, risk in reader.fetch(query)
    ]
