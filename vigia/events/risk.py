"""The risk record: what Vigia says about a deployment before it goes out. Gates in CI read it."""

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct
from vigia.events.feedback import Label


class Contribution(EventStruct, frozen=True, kw_only=True):
    """What one feature did to the score, in log-odds; the contributions and the base add up to the score."""

    feature: str
    value: float
    log_odds: float


class Risk(EventStruct, tag_field="type", tag="risk", frozen=True, kw_only=True):
    """The probability that a deployment fails, by which model, and why.

    `probability` is in [0, 1] and predicts failures of the kind `label`; `learned_from` is the number of outcomes
    that the model has seen. `version` grows when a deployment is scored again; readers ignore a lower one.
    """

    deployment_id: str
    source: str
    external_id: str
    service: str
    scope: str
    probability: float
    label: Label
    model: str
    learned_from: int
    at: float
    base_log_odds: float
    environment: str = DEFAULT_ENVIRONMENT
    deployed_version: str = ""
    contributions: list[Contribution] = msgspec.field(default_factory=list)
    version: int = 1

    @property
    def identity(self) -> str:
        """The deployment, the scope whose model scored it, and the version of its score."""
        return f"{self.deployment_id}-{self.version}-{self.scope}"

    @property
    def occurred_at(self) -> float:
        """The time of the deployment event that was scored."""
        return self.at
