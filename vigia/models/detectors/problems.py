"""Findings as problems: the event for others, and the row for people."""

from datetime import UTC, datetime

from vigia.events.effects import Changes
from vigia.events.identity import derive_id
from vigia.events.problems import Problem, ProblemStatus
from vigia.events.samples import Series
from vigia.events.summaries import ProblemSummary
from vigia.models.detectors.base import Finding
from vigia.models.detectors.course import Course
from vigia.models.detectors.quota import NAME as PROBLEM_LIMIT
from vigia.models.detectors.quota import Quota

PROBLEMS = "problems"
"""The topic that problems are published on."""

UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60))
FROM = 2
"""From so many of a unit on, lengths of time are told in it."""


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


def not_known_to_be_over(series: Series, detector: str, course: Course, since: float, at: float) -> Problem:
    """Return the open problem of a course as stale: at `at` its series has sent nothing since `since` for too long."""
    why = (
        f"{series.metric} of {series.service} has sent nothing for {_length(at - since)}, since "
        f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC; whether the problem is over is not known."
    )
    finding = Finding("stale", course.severity, course.opened, course.version + 1, course.opened_at, why)
    return problem_of(series, detector, finding, at)


def limit_reached(service: str, quota: Quota, limit: int) -> Problem:
    """Return the problem that says that a service opens no more problems in this hour."""
    why = f"{service} has opened {limit} problems within an hour; more of them are held back until the hour is over."
    return _of_limit(service, quota, "open", at=quota.since, why=why)


def limit_over(service: str, quota: Quota, at: float) -> Problem:
    """Return the same problem as resolved: its hour is over."""
    why = (
        f"The hour is over in which {service} opened {quota.opened} problems. What is still wrong opens with the next "
        "window that shows it."
    )
    return _of_limit(service, quota, "resolved", at=at, why=why)


def tell(problem: Problem, changes: Changes, figure: str) -> None:
    """Write and publish a problem, and count it."""
    changes.write(summary_of(problem))
    changes.emit(PROBLEMS, problem.service, problem)
    changes.count(figure)


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


def _length(seconds: float) -> str:
    unit, length = next((each for each in UNITS if seconds >= FROM * each[1]), UNITS[-1])
    return f"{seconds / length:.0f} {unit}"


def _of_limit(service: str, quota: Quota, status: ProblemStatus, at: float, why: str) -> Problem:
    series_id = derive_id("series", service, PROBLEM_LIMIT)
    return Problem(
        problem_id=derive_id("problem", series_id, PROBLEM_LIMIT, str(quota.reached)),
        service=service,
        detector=PROBLEM_LIMIT,
        severity="P1",
        status=status,
        opened_at=quota.since,
        at=at,
        why=why,
        series_id=series_id,
        metric="problems",
        environment=quota.environment,
        evidence={"held": float(quota.held), "opened": float(quota.opened)},
        version=1 if status == "open" else 2,
    )
