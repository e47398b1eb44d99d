"""Drift: the risk model of a scope is more often wrong than it says, or what it is told of deployments has changed."""

from typing import Literal

from vigia.events.base import EventStruct
from vigia.events.feedback import Label
from vigia.events.identity import derive_id


class Drift(EventStruct, tag_field="type", tag="model.drift", frozen=True, kw_only=True):
    """One alarm: the `loss` of the model for failures of the kind `label` is above what it expects, the values of an
    `input` (`feature`) have moved, or a feature that was told is `missing`, or was missing and is told.

    `before` is what was normal, `now` what is recent: mean log losses, means of log(1 + value), or shares of
    deployments without the feature. `why` says it in words. After an alarm of an input the new level is the normal one.
    """

    scope: str
    kind: Literal["loss", "input", "missing"]
    before: float
    now: float
    why: str
    at: float
    number: int
    """How many alarms the scope had before."""
    label: Label | None = None
    feature: str = ""

    @property
    def identity(self) -> str:
        """The scope and the alarm's number."""
        return derive_id("drift", self.scope, str(self.number))

    @property
    def occurred_at(self) -> float:
        """The time of the deployment or outcome at which it was noticed."""
        return self.at
