"""Runs every detector over the windows that close, and turns what they find into problems."""

from vigia.events.effects import Changes
from vigia.events.figures import PROBLEMS_OPENED, PROBLEMS_RESOLVED, PROBLEMS_STALE
from vigia.events.identity import derive_id
from vigia.events.problems import Problem, ProblemStatus
from vigia.events.samples import Series
from vigia.events.summaries import ProblemSummary
from vigia.models.detectors.base import ClosedWindow, Finding
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.high_error_rate import NAME as HIGH_ERROR_RATE
from vigia.models.detectors.high_error_rate import HighErrorRateState

PROBLEMS = "problems"
"""The topic that problems are published on."""

DetectorState = HighErrorRateState
"""What any detector remembers of a series: a union of Structs tagged with their detector's name."""

_FIGURES: dict[ProblemStatus, str] = {
    "open": PROBLEMS_OPENED,
    "resolved": PROBLEMS_RESOLVED,
    "stale": PROBLEMS_STALE,
}


class Finder:
    """The configured detectors. States are kept by the caller, one dict (detector name to state) a series."""

    def __init__(self, config: DetectorConfig) -> None:
        self._detectors = (config.high_error_rate,)

    def watches(self, metric: str, kind: str) -> bool:
        """Whether any detector looks at series of this metric and kind."""
        return any(detector.watches(metric, kind) for detector in self._detectors)

    def look(self, series: Series, states: dict[str, DetectorState], window: ClosedWindow, changes: Changes) -> None:
        """Give one closed window of `series` to its detectors; changes `states` in place."""
        for detector in self._detectors:
            if not detector.watches(series.metric, series.kind):
                continue
            states[detector.name], finding = detector.judge(states.get(detector.name), window)
            if finding is not None:
                problem = problem_of(series, detector.name, finding, at=window.end)
                changes.write(summary_of(problem))
                changes.emit(PROBLEMS, problem.service, problem)
                changes.count(_FIGURES[finding.status])


def anew(opened: int) -> dict[str, DetectorState]:
    """Return the states of a new series whose problems are to be counted on from `opened`."""
    return {HIGH_ERROR_RATE: HighErrorRateState(opened=opened)} if opened else {}


def problem_of(series: Series, detector: str, finding: Finding, at: float) -> Problem:
    """Return the problem that a finding is a version of; its id is derived from series, detector and number."""
    return Problem(
        problem_id=derive_id("problem", series.series_id, detector, str(finding.number)),
        service=series.service,
        detector=detector,
        severity=finding.severity,
        status=finding.status,
        opened_at=finding.opened_at,
        at=at,
        why=finding.why,
        series_id=series.series_id,
        metric=series.metric,
        environment=series.environment,
        labels=series.label_text,
        evidence=finding.evidence,
        version=finding.version,
    )


def summary_of(problem: Problem) -> ProblemSummary:
    """Return the row of a problem in this version."""
    return ProblemSummary(
        problem_id=problem.problem_id,
        service=problem.service,
        environment=problem.environment,
        series_id=problem.series_id,
        metric=problem.metric,
        detector=problem.detector,
        severity=problem.severity,
        status=problem.status,
        opened_at=problem.opened_at,
        at=problem.at,
        why=problem.why,
        version=problem.version,
    )
