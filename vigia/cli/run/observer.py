"""What the run reads from the summaries' database: figures and positions, and what the live view shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from vigia.cli.run.accounting import Partition, Reading
from vigia.events.base import HISTORY_ENVIRONMENT
from vigia.events.effects import Timer
from vigia.events.summaries import DeploymentSummary, ProblemSummary, ProposalSummary, Summary
from vigia.models.windows.rolling import ROLL
from vigia.stores.base import LaneId, LaneRow
from vigia.stores.queries.dead_letter_counts import dead_letter_counts
from vigia.stores.queries.open_problems import open_problems
from vigia.stores.queries.open_proposals import open_proposals
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.recent_deployments import recent_deployments

SHOWN = 50
"""Most rows read of what a screen lists."""

EVER, TIMERS = 1e18, 5_000
"""A time after all timers, and most of them that are read of a lane."""


class Database(Reader, Protocol):
    """What is used of the summaries' database."""

    def lanes(self) -> list[LaneRow]: ...

    def rows(
        self, keys: Iterable[tuple[type[Summary], tuple[object, ...]]]
    ) -> Mapping[tuple[object, ...], Summary]: ...

    def outbox(self, lane: LaneId, limit: int) -> Sequence[object]: ...

    def due(self, lane: LaneId, until: float, limit: int) -> Sequence[Timer]: ...


class Observer:
    """Reads for one run; `cluster_id` tells its lanes' positions from those of an earlier broker."""

    def __init__(self, database: Database, cluster_id: str) -> None:
        self._database = database
        self._cluster_id = cluster_id

    def reading(self, *, whole: bool = False) -> Reading:
        """Return figures and positions, in one query; with `whole` also what waits: outputs and timers."""
        # What waits is read first: a step in between then shows in the figures. The other way round, its outputs and
        # timers would be gone and its figures not there yet, which looks like rest.
        outbox, next_due = self._waiting() if whole else (0, None)
        lanes = self._database.lanes()
        figures: Counter[str] = Counter()
        for lane in lanes:
            figures.update(lane.counts)
        return Reading(
            figures=figures,
            positions=self._positions(lanes),
            outbox=outbox,
            next_due=next_due,
            stopped=[f"{lane.lane.agent} {lane.lane.partition}: {lane.stopped}" for lane in lanes if lane.stopped],
        )

    def _waiting(self) -> tuple[int, float | None]:
        """Return how many lanes have outputs to publish, and when the earliest timer is due that input waits for."""
        lanes = [row.lane for row in self._database.lanes()]
        timers = (timer for lane in lanes for timer in self._database.due(lane, EVER, TIMERS))
        # that hours are made of windows, at any time after, is no part of a run
        due = [timer.due for timer in timers if timer.kind != ROLL]
        return sum(len(self._database.outbox(lane, 1)) for lane in lanes), min(due, default=None)

    def positions(self) -> dict[Partition, int]:
        """Return the next offset to be applied in each partition."""
        return self._positions(self._database.lanes())

    def deployments(self) -> list[DeploymentSummary]:
        """Return the latest deployments, but for those of a recorded history, whose times are long past."""
        latest = recent_deployments(self._database, SHOWN)
        return [deployment for deployment in latest if deployment.environment != HISTORY_ENVIRONMENT]

    def played_back(self, deployments: Sequence[tuple[str, str]]) -> list[DeploymentSummary]:
        """Return those of these deployments that belong to a recorded history and have been scored, in this order.

        They are named by (deployment_id, scope), the key of their rows.
        """
        found = self._database.rows((DeploymentSummary, each) for each in deployments).values()
        known = {(row.deployment_id, row.scope): row for row in found if isinstance(row, DeploymentSummary)}
        rows = [known[each] for each in deployments if each in known]
        return [row for row in rows if row.environment == HISTORY_ENVIRONMENT]

    def problems(self) -> list[ProblemSummary]:
        """Return open problems."""
        return open_problems(self._database, SHOWN)

    def proposals(self) -> list[ProposalSummary]:
        """Return proposals that wait for a verdict."""
        return open_proposals(self._database, SHOWN)

    def dead_letters(self) -> dict[str, int]:
        """Return how many refused events nobody has looked after, by reason."""
        counts: Counter[str] = Counter()
        for each in dead_letter_counts(self._database):
            counts[each.reason] += each.count
        return dict(counts)

    def _positions(self, lanes: list[LaneRow]) -> dict[Partition, int]:
        return {
            (topic, lane.lane.partition): offset
            for lane in lanes
            if lane.cluster_id == self._cluster_id
            for topic, offset in lane.offsets.items()
        }
