"""A recorded project as the stream would have it: each commit a deployment of one service, with its scope's past.

Authors, incidents and what else the recorded projects lack stay unknown.
"""

from scripts.ml.evaluation.project import Project
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.models.risk import context
from vigia.models.risk.basis import FEATURES, Vector
from vigia.models.risk.encoding import encode
from vigia.models.risk.features import values_of

SERVICE = "recorded"


class Stream:
    """Makes the columns of one commit after the other, each from what was known when it came."""

    def __init__(self, project: Project) -> None:
        rows = zip(project.at, project.values, strict=True)
        self._events = [_deployment(number, *row) for number, row in enumerate(rows)]
        self._past = context.Context()
        self._now = 0.0

    def columns(self, number: int) -> Vector:
        """Return the columns of the next commit, which then belongs to the past."""
        event = self._events[number]
        self._now = event.at
        change = encode(values_of(event, context.seen(self._past, event, self._now, ())))
        context.deployed(self._past, event.service, self._now, ())
        return change

    def failed(self) -> None:
        """Put into the past that some commit has proved defective."""
        context.failed(self._past, SERVICE, self._now, ())


def _deployment(number: int, at: float, values: list[float | None]) -> Deployment:
    known = {name: value if value is None else max(value, 0.0) for name, value in zip(FEATURES, values, strict=True)}
    return Deployment(
        source=SERVICE,
        external_id=str(number),
        service=SERVICE,
        stage="finished",
        status="succeeded",
        at=at,
        features=ChangeFeatures(**known),
    )
