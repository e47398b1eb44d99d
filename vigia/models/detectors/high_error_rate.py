"""Finds series of error ratios that are too high, window after window, and says when they are low again.

A window that is missing, has too few samples, or holds values outside [0, 1] says nothing: it neither opens nor
resolves a problem, and does not interrupt a run of windows.
"""

from typing import Literal

import msgspec

from vigia.events.feedback import Severity
from vigia.models.detectors.base import ClosedWindow, Finding

NAME = "high_error_rate"


class HighErrorRateState(msgspec.Struct, frozen=True, array_like=True, tag=NAME):
    """What is remembered of one series: the run of windows that count, and the problem that is open, if one is."""

    opened: int = 0
    """Problems opened so far, stale ones too."""
    status: Literal["none", "open", "stale"] = "none"
    run: int = 0
    """Consecutive windows that speak for a change: high ones while there is no problem, low ones while there is."""
    version: int = 0
    severity: Severity = "P3"
    opened_at: float = 0.0


class SeverityLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="upper"):
    """The least mean of each severity, as ratios in (0, 1] that do not rise from P0 to P2; P3 lies below them."""

    p0: float = 0.5
    p1: float = 0.25
    p2: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.p2 <= self.p1 <= self.p0 <= 1:
            raise ValueError(f"P0 {self.p0}, P1 {self.p1}, P2 {self.p2}: 0 < P2 <= P1 <= P0 <= 1 must hold")

    def severity(self, mean: float) -> Severity:
        """Return the severity of a window's mean."""
        if mean >= self.p0:
            return "P0"
        if mean >= self.p1:
            return "P1"
        return "P2" if mean >= self.p2 else "P3"


class HighErrorRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens when the mean of `open_after` windows in a row is at least `open_at`; resolves after `close_after` windows
    in a row below `close_at`. All ratios are in [0, 1]; means between the two limits end a run and change nothing.

    What is found in a stale window is a stale problem. When the windows have caught up and are still high, the same
    problem becomes an open one; when they become low first, it is resolved without ever having been open.

    >>> detector = HighErrorRate(min_samples=1)
    >>> window = ClosedWindow(start=0, end=60, count=10, sum=2.0, min=0.1, max=0.3, stale=False)
    >>> state, finding = detector.judge(None, window)
    >>> finding.status, finding.severity, finding.evidence["mean"]
    ('open', 'P2', 0.2)
    """

    metrics: tuple[str, ...] = ("error_rate",)
    open_at: float = 0.05
    close_at: float = 0.03
    open_after: int = 1
    close_after: int = 3
    min_samples: int = 3
    severity: SeverityLimits = SeverityLimits()

    def __post_init__(self) -> None:
        if not 0 < self.close_at <= self.open_at <= 1:
            raise ValueError(
                f"close_at {self.close_at} and open_at {self.open_at}: 0 < close_at <= open_at <= 1 must hold"
            )
        for name in ("open_after", "close_after", "min_samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 1")

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""
        return NAME

    def watches(self, metric: str, kind: str) -> bool:
        """Gauges of the configured metrics; a counter is no ratio."""
        return kind == "gauge" and metric in self.metrics

    def judge(
        self, state: HighErrorRateState | None, window: ClosedWindow
    ) -> tuple[HighErrorRateState, Finding | None]:
        """Return the state after `window`, and a finding when a problem opens, turns from stale to open, or is over."""
        state = state or HighErrorRateState()
        if window.count < self.min_samples or window.min < 0 or window.max > 1:
            return state, None
        if state.status == "none":
            return self._without_problem(state, window)
        if state.status == "stale" and not window.stale and window.mean >= self.open_at:
            severity = self.severity.severity(window.mean)
            after = _changed(state, run=0, status="open", version=state.version + 1, severity=severity)
            return after, self._finding(after, window, "open", "is still")
        return self._with_problem(state, window)

    def _without_problem(
        self, state: HighErrorRateState, window: ClosedWindow
    ) -> tuple[HighErrorRateState, Finding | None]:
        if window.mean < self.open_at:
            return (_changed(state, run=0) if state.run else state), None
        if state.run + 1 < self.open_after:
            return _changed(state, run=state.run + 1), None
        after = HighErrorRateState(
            opened=state.opened + 1,
            status="stale" if window.stale else "open",
            version=1,
            severity=self.severity.severity(window.mean),
            opened_at=float(window.end),
        )
        return after, self._finding(after, window, "stale" if window.stale else "open", "is")

    def _with_problem(
        self, state: HighErrorRateState, window: ClosedWindow
    ) -> tuple[HighErrorRateState, Finding | None]:
        if window.mean >= self.close_at:
            return (_changed(state, run=0) if state.run else state), None
        if state.run + 1 < self.close_after:
            return _changed(state, run=state.run + 1), None
        last = _changed(state, version=state.version + 1)
        return HighErrorRateState(opened=state.opened), self._finding(last, window, "resolved", "is down to")

    def _finding(
        self, state: HighErrorRateState, window: ClosedWindow, status: Literal["open", "resolved", "stale"], verb: str
    ) -> Finding:
        limit, windows = (self.close_at, self.close_after) if status == "resolved" else (self.open_at, self.open_after)
        relation = "below" if status == "resolved" else "at or above"
        run = f"{windows} windows in a row" if windows > 1 else "one window"
        why = (
            f"The error rate {verb} {window.mean:.1%} in the mean of {window.count} samples; "
            f"it has been {relation} the limit of {limit:.1%} for {run}."
        )
        if status == "stale":
            why += " It was found in a backlog, too late to act on."
        evidence = {
            "mean": window.mean,
            "max": window.max,
            "samples": float(window.count),
            "limit": limit,
            "windows": float(windows),
            "window_start": float(window.start),
        }
        return Finding(status, state.severity, state.opened, state.version, state.opened_at, why, evidence)


def _changed(state: HighErrorRateState, **changes: object) -> HighErrorRateState:
    return msgspec.structs.replace(state, **changes)
