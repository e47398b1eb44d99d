"""The risk record: what Vigia says about a deployment before it goes out. Gates in CI read it."""

from typing import Literal

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct
from vigia.events.feedback import Label

Answer = Literal["ok", "fail"]


class Contribution(EventStruct, frozen=True, kw_only=True):
    """What one feature did to the score, in log-odds; the contributions and the base add up to the score."""

    feature: str
    log_odds: float
    value: float | None = None
    """In the feature's unit; absent when it was not known."""
    words: str = ""
    """The same as a sentence for people."""


class Gate(EventStruct, frozen=True, kw_only=True):
    """A rule of the policy that says no, whatever the score."""

    name: str
    """What CI may branch on: `open_incident`, `schema_migration`, `error_budget`."""
    reason: str
    """For people: what was found, and since when."""


class Advice(EventStruct, frozen=True, kw_only=True):
    """Something that can still be changed about the deployment, and what the score would be then."""

    feature: str
    words: str
    """What to do, as a sentence."""
    probability: float
    """Of a failure if that alone were done, in [0, 1]."""


class TrackRecord(EventStruct, frozen=True, kw_only=True):
    """How often the model was right for this service, before this deployment."""

    judged: int = 0
    """Scored deployments of the service whose outcome is known, and those of their age: failures, which are told
    sooner, count when the others do."""
    right: float | None = None
    """Share of them on which the plain answer proved true, in [0, 1]: "fail" for what was riskier than `usual`, else
    "ok". Absent while none is judged."""
    base_rate: float | None = None
    """Share of them that failed: who always says "ok" is right on all the others."""


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
    interval: tuple[float, float] = (0.0, 1.0)
    """90 % interval of the probability, from what the model does not know of its weights; the default says nothing."""
    usual: float | None = None
    """The mean probability of the latest deployments of the scope, this one not among them."""
    decision: tuple[Answer, ...] = ("ok", "fail")
    """The answers that cannot be excluded: one, or both. With both a person should look. None cannot occur: where a
    deployment is unlike either class, both answers are given. A reader takes none as both."""
    error_level: float = 0.0
    """Stated share of the deployments that go well of which "ok" is excluded, of those that fail of which "fail" is,
    and so of all decisions that miss the truth. It is no share of those with one answer: where few fail, most of what
    is told "fail" alone goes well. 0 goes with a decision that excludes nothing."""
    gates: list[Gate] = msgspec.field(default_factory=list)
    """Rules that say no, whatever the score; empty when none does."""
    contributions: list[Contribution] = msgspec.field(default_factory=list)
    """The strongest first."""
    advice: list[Advice] = msgspec.field(default_factory=list)
    """What would lower the risk, the most effective first; empty when nothing that can be changed would."""
    track_record: TrackRecord = TrackRecord()
    version: int = 1

    @property
    def identity(self) -> str:
        """The deployment, the scope whose model scored it, and the version of its score."""
        return f"{self.deployment_id}-{self.version}-{self.scope}"

    @property
    def occurred_at(self) -> float:
        """The time of the deployment event that was scored."""
        return self.at
