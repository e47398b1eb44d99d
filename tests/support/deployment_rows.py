"""A scope with a history of deployments in a summaries' database, as the deployments agent would have left it."""

import numpy as np

from tests.unit.models.laws import Lane, Sent
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.feedback import Outcome
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.states import SCHEMA
from vigia.stores.base import LaneId, StateRow, StepCommit, StepRow
from vigia.stores.sql.summaries import SqlSummaries

DAY = 86_400.0
START = 1_700_000_000.0
SCOPE = "team"
LANE = LaneId("deployments", 0)
EVERY = 3_600.0
"""Seconds from one deployment to the next."""


class History:
    """Big changes fail in spring and small ones in autumn, so to say: what a line cannot follow, and trees can."""

    def __init__(self, summaries: SqlSummaries) -> None:
        self.summaries = summaries
        self.lane = Lane(DeploymentsModel(), reload=False)
        self.row = summaries.acquire(LANE, "worker", "cluster", 1)
        self.count = 0
        self._random = np.random.default_rng(7)

    def deploy(self, number: int, *, outcomes: bool = True) -> None:
        """Let so many more be deployed, each with its outcome half an hour later, and write what changed."""
        script = []
        for _ in range(number):
            at = START + self.count * EVERY
            lines, files = float(self._random.integers(1, 500)), float(self._random.integers(1, 40))
            failed = bool((lines > 250) == (files > 20)) ^ bool(self._random.random() < 0.1)
            features = ChangeFeatures(la=lines, nf=files)
            name = f"{self.count:05}"
            script.append(Sent(_deployment(name, at, features), at))
            if outcomes:
                script.append(Sent(_outcome(name, at + EVERY / 2, failed=failed), at + EVERY / 2))
            self.count += 1
        self.lane.run(script)
        self._write()

    def _write(self) -> None:
        states = [StateRow(key, SCHEMA, body) for key, body in self.lane.dumped().items()]
        step = self.row.step + 1
        after = type(self.row)(
            **{name: getattr(self.row, name) for name in self.row.__struct_fields__}
            | {"version": self.row.version + 1, "step": step}
        )
        made = StepRow(step, "deployments", "cluster", step, step, START)
        self.summaries.commit(
            StepCommit(after, self.row.version, made, states=states, summaries=list(self.lane.rows.values()))
        )
        self.row = after


def _deployment(name: str, at: float, features: ChangeFeatures) -> Deployment:
    return Deployment(
        source="ci", external_id=name, service="shop", scope=SCOPE, stage="planned", at=at, features=features
    )


def _outcome(name: str, at: float, *, failed: bool) -> Outcome:
    return Outcome(
        source="ci", external_id=name, service="shop", scope=SCOPE, at=at, failed=failed, label="defect", by="ada"
    )
