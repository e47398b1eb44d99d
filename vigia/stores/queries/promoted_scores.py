"""What promoted risk models say of deployments, for who shows it beside the online model's score."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select

from vigia.events.summaries import DeploymentSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.tables import risk_models, shadow_scores


class PromotedScore(NamedTuple):
    """The probability that a deployment fails, in [0, 1], by a retrained model of that name."""

    model: str
    probability: float


def promoted_scores(reader: Reader, rows: Iterable[DeploymentSummary]) -> dict[tuple[str, str], PromotedScore]:
    """Return what is promoted for the kind of failure that was predicted, by (deployment id, scope).

    A model of the deployment's own scope comes before one of all.
    """
    wanted = {(row.deployment_id, row.scope): row.model.rpartition("/")[2] for row in rows}
    columns = shadow_scores.c.deployment_id, shadow_scores.c.scope, shadow_scores.c.model, shadow_scores.c.probability
    same = shadow_scores.c.model == risk_models.c.name
    query = select(*columns, risk_models.c.label, risk_models.c.scope).select_from(
        risk_models.join(shadow_scores, same)
    )
    query = query.where(risk_models.c.status == "promoted")
    found: dict[tuple[str, str], tuple[bool, PromotedScore]] = {}
    for some in chunks(sorted({deployment_id for deployment_id, _ in wanted})):
        for deployment_id, scope, model, probability, label, of in reader.fetch(
            query.where(shadow_scores.c.deployment_id.in_(some)).order_by(risk_models.c.name)
        ):
            key = deployment_id, scope
            if wanted.get(key) == label and (key not in found or (of and not found[key][0])):
                found[key] = bool(of), PromotedScore(model, probability)
    return {key: score for key, (_, score) in found.items()}
