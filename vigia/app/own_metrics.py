"""Vigia's own figures, as samples of the service `vigia` on the topic `metrics`: so they have windows as all others do.

What a worker sends makes work for the metrics agent, and a few more samples a minute; their number does not depend on
how much work there is, so they never feed on themselves. Only a worker sends them: a rebuild reads those that were
sent, as it reads everything.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vigia.events.figures import TOPIC_FIGURES, topic_figure
from vigia.events.samples import Kind, Sample
from vigia.stores.base import LaneBeat, LaneId, LaneRow, OutboxRow
from vigia.streaming.glance import Glance
from vigia.streaming.intake import encoded
from vigia.topics import METRICS

SERVICE = "vigia"
KEY = SERVICE.encode()

logger = logging.getLogger(__name__)


class Figure(NamedTuple):
    """One of our metrics: what it is called, measured in, and whether it is a level or only grows."""

    name: str
    unit: str
    meaning: str
    kind: Kind = "gauge"


LAG = Figure("stream_lag", "1", "records that are written and not applied, of one lane")
OLDEST_AGE = Figure("stream_oldest_age", "s", "how long the oldest of them has waited; 0 when there is none")
APPLIED = Figure("stream_applied_rate", "1/s", "events applied by one lane, a packed sample counted by its points")
INVALID = Figure("stream_invalid_rate", "1/s", "events refused by one lane")
STEP_DURATION = Figure("stream_step_duration", "s", "mean time from a batch to its acknowledgement, of one lane")
RETRIES = Figure("stream_retries", "1", "operations that were tried again, of one worker since it started", "counter")
MEMORY = Figure("worker_resident_memory", "By", "resident memory of one worker")

OF_LANES = (LAG, OLDEST_AGE, APPLIED, INVALID, STEP_DURATION)
OF_WORKERS = (RETRIES, MEMORY)
FIGURES = OF_LANES + OF_WORKERS

WORKERS_SHARE = 10
"""One in so many series of the service may be a worker's."""

Series = tuple[Figure, tuple[tuple[str, str], ...]]


class Bounds(NamedTuple):
    """Which lanes and workers have figures: those of a partition below `partitions`, and of a slot below `slots`.

    A service has a bounded number of series, and samples of further ones are refused: enough of them stop their lane.
    """

    partitions: int
    slots: int

    @staticmethod
    def within(series_cap: int, agents: int) -> "Bounds":
        """Return the bounds that keep all workers' figures together within `series_cap` series.

        >>> Bounds.within(1000, agents=4)
        Bounds(partitions=45, slots=50)
        """
        slots = series_cap // WORKERS_SHARE // len(OF_WORKERS)
        return Bounds((series_cap - slots * len(OF_WORKERS)) // (agents * len(OF_LANES)), slots)


class _Before(NamedTuple):
    at: float
    row: LaneRow
    busy: float


class OwnMetrics:
    """Collects a point of every figure at each look, and packs the points of a series into one message.

    Figures of lanes have the label `lane`, and go on under another owner; those of a worker have its slot as `worker`,
    so that their series do not become more with every start.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._warned = False
        self._points: defaultdict[Series, list[tuple[float, float]]] = defaultdict(list)
        self._before: dict[LaneId, _Before] = {}

    def look(
        self,
        now: float,
        lanes: Sequence[Glance],
        beats: Sequence[LaneBeat],
        slot: int | None,
        retries: int,
        resident: int,
    ) -> None:
        """Take a point at `now`, Kafka's time in epoch seconds; rates and durations are since the look before.

        A worker without a slot has no figures of its own yet.
        """
        if not self._warned and any(beat.partition >= self._bounds.partitions for beat in beats):
            self._warned = True
            logger.warning(
                "lanes from partition %d on have no own metrics: the service %s would have more series than "
                "metrics.series_cap allows; the status tells of all lanes",
                self._bounds.partitions,
                SERVICE,
            )
        for beat in beats:
            if beat.partition >= self._bounds.partitions:
                continue
            lane = (("lane", f"{beat.agent}/{beat.partition}"),)
            if beat.lag:
                self._add(LAG, lane, now, float(sum(beat.lag.values())))
                self._add(OLDEST_AGE, lane, now, max(0.0, now - beat.oldest_at) if beat.oldest_at else 0.0)
        for glance in lanes:
            if glance.row.lane.partition < self._bounds.partitions:
                self._rates(now, glance)
        if slot is not None and slot < self._bounds.slots:
            worker = (("worker", str(slot)),)
            self._add(RETRIES, worker, now, float(retries))
            self._add(MEMORY, worker, now, float(resident))

    def messages(self) -> list[OutboxRow]:
        """Return what has been collected as packed samples under their key, and begin anew."""
        points, self._points = self._points, defaultdict(list)
        samples = [
            Sample(
                service=SERVICE,
                metric=figure.name,
                points=list(taken),
                kind=figure.kind,
                unit=figure.unit,
                labels=dict(labels),
            )
            for (figure, labels), taken in sorted(points.items())
        ]
        return [OutboxRow(number, METRICS.name, KEY, encoded(sample)) for number, sample in enumerate(samples)]

    def _rates(self, now: float, glance: Glance) -> None:
        row = glance.row
        before = self._before.get(row.lane)
        self._before[row.lane] = _Before(now, row, glance.busy)
        if before is None or now <= before.at or glance.busy < before.busy:
            return  # the first look at it under this owner
        labels = (("lane", str(row.lane)),)
        seconds, steps = now - before.at, row.step - before.row.step
        for figure, counted in ((APPLIED, "applied"), (INVALID, "invalid")):
            self._add(figure, labels, now, (_counted(row, counted) - _counted(before.row, counted)) / seconds)
        if steps > 0:
            self._add(STEP_DURATION, labels, now, (glance.busy - before.busy) / steps)

    def _add(self, figure: Figure, labels: tuple[tuple[str, str], ...], at: float, value: float) -> None:
        self._points[figure, labels].append((at, value))


def _counted(row: LaneRow, figure: str) -> int:
    assert figure in TOPIC_FIGURES, figure  # noqa: S101 - a misspelt figure would count nothing
    names = {topic_figure(topic, figure) for topic in row.offsets}
    return sum(value for name, value in row.counts.items() if name in names)
