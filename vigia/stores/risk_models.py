"""The registry of retrained risk models, as rows and as a protocol: which there are, what each is for, its file.

The file is bytes to the store, and stays unread here: who loads one checks it (`vigia.models.risk.challengers.files`).
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from vigia.stores.base import LaneId, LaneRow, Loaded

Status = Literal["candidate", "shadow", "promoted", "retired"]
"""Kept and no more; scoring beside the online model; the same, and shown to people; of the past."""

AT_WORK: tuple[Status, ...] = ("shadow", "promoted")


class RiskModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A model, without its file. Times are epoch seconds.

    `scope` is the team from whose deployments it was trained, empty: all. They were scored from `first_at` to
    `last_at` (event time); `failures` of the `deployments` failed. `metrics` is what retraining measured, as JSON;
    `types` are those that its file names, for people: what may be built of a file is not said here.
    """

    name: str
    kind: str
    label: str
    scope: str
    created_at: float
    first_at: float
    last_at: float
    deployments: int
    failures: int
    code_version: str
    metrics: str
    digest: str
    types: str
    status: Status


class RiskModelChange(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody made of a model, when (by the store's clock) and why; numbered from 1 for each model."""

    name: str
    number: int
    status: Status
    at: float
    by: str
    because: str


class Turn(NamedTuple):
    """A model that is to go from one status to another."""

    name: str
    origin: Status
    status: Status


class ShadowScore(NamedTuple):
    """What a model says of a deployment, beside what the online model had said: probabilities in [0, 1].

    `online` is None when the online model of this kind of label did not speak yet. `scored_at` is the event time of the
    online score.
    """

    deployment_id: str
    scope: str
    probability: float
    online: float | None
    scored_at: float


class RiskModels(Protocol):
    """The registry, and what is needed to score by it. Safe to use from several threads."""

    def risk_models(self, statuses: Sequence[Status] = ()) -> list[RiskModelRow]:
        """Return the models with one of these statuses (none given: all), the oldest first."""

    def risk_model_file(self, name: str) -> bytes | None:
        """Return a model's file."""

    def add_risk_model(self, row: RiskModelRow, body: bytes, by: str, because: str) -> bool:
        """Keep a model; false, and nothing is changed, when there is one of that name."""

    def turn_risk_models(self, turns: Sequence[Turn], by: str, because: str) -> bool:
        """Change statuses, all or, when one is not as said, none; returns which."""

    def risk_model_changes(self) -> list[RiskModelChange]:
        """Return what was done with models, the oldest first."""

    def unscored(self, row: RiskModelRow, look: int, limit: int) -> list[tuple[str, str]]:
        """Return (deployment id, scope) of deployments that a model has not scored, the newest first, at most `limit`.

        Among the `look` newest, those whose latest stage came after all that the model was trained with.
        """

    def write_shadow_scores(self, model: str, scores: Sequence[ShadowScore]) -> None:
        """Keep what a model says; said again, it is replaced."""

    def shadow_scores(self, model: str) -> Iterator[ShadowScore]:
        """Return all that a model said, by the deployments' ids."""

    def lanes(self) -> list[LaneRow]:
        """Return all lanes."""

    def load(self, lane: LaneId, state_keys: Sequence[str], seen_ids: Sequence[bytes]) -> Loaded:
        """Return the states that exist among those asked for."""
