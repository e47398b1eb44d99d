"""A made-up year of an organisation: its events, and a database filled with what the model makes of them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from vigia.events.deployments import Commit, Deployment
from vigia.events.effects import Changes, States
from vigia.events.feedback import IncidentOpened, IncidentResolved, Outcome
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.model import Told
from vigia.stores.base import LaneId, StepCommit, Summaries

DAY = 86_400.0


@dataclass(frozen=True)
class Size:
    """How much happens in the year that ends at `until` (epoch seconds)."""

    until: float
    teams: int = 20
    services: int = 200
    deployments: int = 100_000
    incidents: int = 5_000
    seed: int = 7

    @property
    def since(self) -> float:
        """When the year begins."""
        return self.until - 365 * DAY


def team_of(service: int, size: Size) -> str:
    """Return the team that owns the service of this number."""
    return f"team-{service % size.teams:02d}"


def year(size: Size) -> Iterator[list[Told]]:
    """Return the events of each service: deployments with commits, some of them failed, rolled back or not in
    production, and incidents, of which a third names its cause.
    """
    rng = random.Random(size.seed)  # noqa: S311 - made-up data
    for service in range(size.services):
        events: list[Told] = []
        deployments = _deployments(rng, service, size)
        events += deployments
        for number in range(size.incidents // size.services):
            events += _incident(rng, service, number, size, deployments)
        yield events


def _deployments(rng: random.Random, service: int, size: Size) -> list[Deployment]:
    each = size.deployments // size.services
    times = sorted(rng.uniform(size.since, size.until) for _ in range(each))
    made = []
    for number, at in enumerate(times):
        chance = rng.random()
        commits = [
            Commit(sha=f"{service:04x}{number:06x}{index:02x}", committed_at=at - rng.lognormvariate(11, 1.5))
            for index in range(rng.choice((0, 1, 1, 2, 2, 3, 5)))
        ]
        made.append(
            Deployment(
                source="ci",
                external_id=f"{service}-{number}",
                service=f"service-{service:03d}",
                scope=team_of(service, size),
                environment="production" if chance > 0.15 else "staging",  # noqa: PLR2004 - a share
                stage="finished",
                status="failed" if chance > 0.97 else "succeeded",  # noqa: PLR2004
                kind="rollback" if 0.15 < chance < 0.17 else "deployment",  # noqa: PLR2004
                at=at,
                commits=commits,
            )
        )
    return made


def _incident(
    rng: random.Random, service: int, number: int, size: Size, deployments: list[Deployment]
) -> Iterator[Told]:
    cause = rng.choice(deployments)
    at = cause.occurred_at + rng.uniform(60, 6 * 3600)
    scope, name = team_of(service, size), f"service-{service:03d}"
    links = [(cause.source, cause.external_id)] if rng.random() < 1 / 3 else []
    common: dict[str, Any] = {"source": "pager", "external_id": f"{service}-{number}", "scope": scope, "service": name}
    yield IncidentOpened(**common, at=at, title="made up", deployments=links)
    if rng.random() < 0.95:  # noqa: PLR2004 - a share
        yield IncidentResolved(**common, at=at + rng.lognormvariate(8, 1))
    if rng.random() < 0.1:  # noqa: PLR2004 - a share
        yield Outcome(
            source=cause.source,
            external_id=cause.external_id,
            scope=scope,
            service=name,
            at=at,
            failed=True,
            label="intervention",
        )


def fill(summaries: Summaries, size: Size) -> int:
    """Write the rows of the year through the model, one service at a time; return how many events there were."""
    model = DeploymentsModel()
    lane = summaries.acquire(LaneId("deployments", 0), "made-up", "made-up", 1)
    count = 0
    for events in year(size):
        count += len(events)
        states: States[Any] = States(dict.fromkeys(model.keys(events)))
        changes = Changes()
        model.apply(events, [event.occurred_at for event in events], states, changes)
        after = msgspec.structs.replace(lane, version=lane.version + 1, step=lane.step + 1)
        rows = [*changes.summaries.values(), *changes.corrections.values()]
        summaries.commit(StepCommit(after, lane.version, None, summaries=rows))
        lane = after
    return count
