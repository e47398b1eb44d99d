"""The course of a problem: when it opens, becomes worse, and is over. The same for every detector.

A detector says of each window whether it is bad, good, or between; of a window that says nothing (missing, too few
samples, impossible values) it says nothing either: unknown is not fine; it ends no problem and interrupts no run.
"""

from dataclasses import dataclass
from typing import Literal, Self, TypeVar

import msgspec
from msgspec.structs import replace

from vigia.events.feedback import Severity
from vigia.events.samples import Series
from vigia.models.detectors.base import ClosedWindow, Finding

Verdict = Literal["bad", "between", "good"]

MOST_FLAPS = 4
"""Returns after which the wait before a problem is called resolved grows no more: 16 times the usual one."""

_RANKS: dict[Severity, int] = {"P0": 0, "P1": 1, "P2": 2, "P3": 3}


class Course(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of a series' problem of one kind. The first six fields are those of the release before."""

    opened: int = 0
    """Problems opened so far, stale ones too."""
    status: Literal["none", "open", "stale"] = "none"
    run: int = 0
    """Consecutive windows that speak for a change: bad ones while there is no problem, good ones while there is."""
    version: int = 0
    severity: Severity = "P3"
    opened_at: float = 0.0
    ended_at: float = 0.0
    """When the last problem was resolved, in epoch seconds; 0 for never."""
    flaps: int = 0
    """How often the problem has come back soon after it was resolved."""
    worse: int = 0
    """Consecutive windows that are worse than the problem's severity says."""

    def with_run(self, run: int) -> Self:
        """Return it with another run; itself when nothing changes, which is the usual case."""
        return self if run == self.run else replace(self, run=run)


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many windows in a row decide, and what counts as coming back. Base of the detectors' limits."""

    enabled: bool = True
    open_after: int = 3
    """Bad windows in a row that open a problem."""
    p0_after: int = 1
    """The same when they are as bad as P0."""
    close_after: int = 3
    """Good windows in a row that resolve it."""
    flap_within: float = 1_800.0
    """Seconds after the end of a problem within which a new one is the old one that came back: each return doubles
    `close_after`."""

    def __post_init__(self) -> None:
        for name in ("open_after", "p0_after", "close_after"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 1")
        if not self.flap_within >= 0:
            raise ValueError(f"flap_within is {self.flap_within}: it must be at least 0 seconds")

    @property
    def companions(self) -> tuple[str, ...]:
        """See `Detector`: none, unless a detector says otherwise."""
        return ()

    def wants_sketch(self, series: Series) -> bool:  # noqa: ARG002 - the same for all
        """See `Detector`: no, unless a detector says otherwise."""
        return False


@dataclass(frozen=True)
class Change:
    """What has become of a problem, before it is told in words."""

    kind: Literal["opened", "confirmed", "worse", "resolved", "stale"]
    severity: Severity
    number: int
    version: int
    opened_at: float
    returns: int

    def told(self, why: str, evidence: dict[str, float]) -> Finding:
        """Return it with its sentence and its numbers."""
        if self.kind == "stale":
            why += " It was found in a backlog, too late to act on."
        if self.returns:
            times = "once" if self.returns == 1 else f"{self.returns} times"
            why += f" It has come back {times} shortly after it was over."
            evidence = {**evidence, "returns": float(self.returns)}
        return Finding(
            status="stale" if self.kind == "stale" else "resolved" if self.kind == "resolved" else "open",
            severity=self.severity,
            number=self.number,
            version=self.version,
            opened_at=self.opened_at,
            why=why,
            evidence=evidence,
            begins=self.kind in {"opened", "confirmed"},
        )


S = TypeVar("S", bound=Course)


def follow(
    course: S, verdict: Verdict, severity: Severity, window: ClosedWindow, rules: Rules
) -> tuple[S, Change | None]:
    """Return the course after a window, and what changed. `severity` counts only with the verdict `bad`.

    What is found in a stale window is a stale problem. When the windows have caught up and are still bad, the same
    problem becomes an open one; when they become good first, it is resolved without ever having been open. The severity
    of an open problem only rises.
    """
    if course.status == "none":
        return _without_problem(course, verdict, severity, window, rules)
    if verdict == "bad":
        if course.status == "stale" and not window.stale:
            after = replace(course, run=0, worse=0, status="open", version=course.version + 1, severity=severity)
            return after, _change("confirmed", after)
        return _still_bad(course, severity, rules)
    if verdict == "between":
        return (replace(course, run=0, worse=0) if course.run or course.worse else course), None
    if course.run + 1 < rules.close_after << course.flaps:
        return replace(course, run=course.run + 1, worse=0), None
    last = replace(course, version=course.version + 1)
    reset = {"run": 0, "worse": 0, "version": 0, "severity": "P3", "opened_at": 0.0}
    after = replace(course, status="none", ended_at=float(window.end), **reset)
    return after, _change("resolved", last)


def unchanged(before: Course, after: S) -> S:
    """Return what was learned until `after` with the problem as it was `before`: its change did not happen."""
    return replace(after, **{name: getattr(before, name) for name in Course.__struct_fields__})


def _without_problem(
    course: S, verdict: Verdict, severity: Severity, window: ClosedWindow, rules: Rules
) -> tuple[S, Change | None]:
    if verdict != "bad":
        return course.with_run(0), None
    if course.run + 1 < (rules.p0_after if severity == "P0" else rules.open_after):
        return course.with_run(course.run + 1), None
    back = course.ended_at > 0 and window.end - course.ended_at <= rules.flap_within
    after = replace(
        course,
        opened=course.opened + 1,
        status="stale" if window.stale else "open",
        run=0,
        version=1,
        severity=severity,
        opened_at=float(window.end),
        flaps=min(course.flaps + 1, MOST_FLAPS) if back else 0,
        worse=0,
    )
    return after, _change("stale" if window.stale else "opened", after)


def _still_bad(course: S, severity: Severity, rules: Rules) -> tuple[S, Change | None]:
    if course.status != "open" or _RANKS[severity] >= _RANKS[course.severity]:
        return (replace(course, run=0, worse=0) if course.run or course.worse else course), None
    if course.worse + 1 < (rules.p0_after if severity == "P0" else rules.open_after):
        return replace(course, run=0, worse=course.worse + 1), None
    after = replace(course, run=0, worse=0, version=course.version + 1, severity=severity)
    return after, _change("worse", after)


def _change(kind: Literal["opened", "confirmed", "worse", "resolved", "stale"], course: Course) -> Change:
    return Change(kind, course.severity, course.opened, course.version, course.opened_at, course.flaps)
