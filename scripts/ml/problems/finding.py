"""Runs the detectors over made-up services, and compares what they find with what there is to be found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.ml.problems.healthy import SAMPLES, START, Service
from scripts.ml.problems.injected import Injected
from vigia.events.effects import Changes
from vigia.events.problems import Problem
from vigia.events.samples import Series
from vigia.models.detectors.base import ClosedWindow
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.finder import Finder, Level, Looked
from vigia.models.detectors.quota import Quota
from vigia.models.detectors.said import SaidMutes
from vigia.models.detectors.states import DetectorState

AFTERWARDS = 24 * 60
"""Minutes after a problem's end in which the same detector may still speak of it."""


@dataclass(frozen=True)
class Result:
    """What was found of what is there (minutes from the onset to the problem; None: never), and what is not there."""

    found: list[tuple[Injected, float | None]]
    false: list[Problem]


class _Alone:
    """A service that nobody has muted, with one series a metric."""

    def __init__(self) -> None:
        self.quota = Quota()
        self.mutes: SaidMutes = {}
        self.forgotten_problems = 0
        self.levels: dict[str, Level] = {}

    def level_of(self, series: Series, metric: str) -> Level | None:  # noqa: ARG002 - all are of one environment
        """Return the latest window of a metric."""
        return self.levels.get(metric)


def problems_of(service: Service, config: DetectorConfig) -> list[Problem]:
    """Return every version of every problem that the detectors tell of a service, in order."""
    finder, changes, around = Finder(config), Changes(), _Alone()
    series = {metric: service.series(metric) for metric in service.values}
    watches = {metric: finder.watch(each) for metric, each in series.items()}
    states: dict[str, dict[str, DetectorState]] = {metric: {} for metric in series}
    columns = {metric: values.tolist() for metric, values in service.values.items()}
    looked = {
        metric: Looked(each, watches[metric], states[metric]) for metric, each in series.items() if watches[metric]
    }
    for minute in range(len(next(iter(columns.values())))):
        start = START + 60 * minute
        for metric, look in looked.items():
            value = columns[metric][minute]
            if value != value:  # noqa: PLR0124 - NaN: no window
                continue
            window = ClosedWindow(
                start=start,
                end=start + 60,
                count=SAMPLES,
                sum=value * SAMPLES,
                min=value,
                max=value,
                stale=False,
            )
            if look.watch.kept:
                around.levels[metric] = (window.end, value)
            finder.look(look, window, around, window.end, changes)
    return [output.event for output in changes.outputs if isinstance(output.event, Problem)]


def compare(problems: Sequence[Problem], injected: Sequence[Injected], names: Sequence[str]) -> Result:
    """Return what was found in time, and which problems have nothing to do with what was injected."""
    begun = list(_begun(problems))
    found, explained = [], set()
    for each in injected:
        mine = [
            problem
            for problem in begun
            if problem.service == names[each.service]
            and problem.metric == each.metric
            and each.onset <= _minute(problem) <= each.end + AFTERWARDS
        ]
        explained |= {problem.problem_id for problem in mine}
        in_time = [_minute(problem) for problem in mine if problem.detector == each.detector]
        first = min((at for at in in_time if at <= each.end), default=None)
        found.append((each, None if first is None else first - each.onset))
    return Result(found, [problem for problem in begun if problem.problem_id not in explained])


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of values; NaN without any."""
    return float(np.quantile(values, share)) if values else float("nan")


def _begun(problems: Sequence[Problem]) -> Iterator[Problem]:
    seen: set[str] = set()
    for problem in problems:
        if problem.problem_id not in seen:
            seen.add(problem.problem_id)
            yield problem


def _minute(problem: Problem) -> float:
    return (problem.opened_at - START) / 60
