"""Finds services that answer with too many errors: more than a limit, or clearly more than they used to.

A window that is missing, has too few requests (or samples, where requests are not known), or holds values outside
[0, 1] says nothing: it neither opens nor resolves a problem, and does not interrupt a run of windows.
"""

from math import log
from typing import Literal

import msgspec
from msgspec.structs import replace

from vigia.events.feedback import Severity
from vigia.events.samples import Series
from vigia.models.detectors.base import ClosedWindow, Companion, Finding
from vigia.models.detectors.course import Change, Course, Rules, Verdict, follow
from vigia.models.detectors.sequential import Past, check_learn_windows
from vigia.models.detectors.units import ROUNDED, ratio_scale

NAME = "high_error_rate"

FEW = 3
"""Fewer samples than these, of who knows how many requests, open nothing at once, however bad: `open_after` counts."""


class HighErrorRateState(Course, frozen=True, array_like=True, tag=NAME):
    """What is remembered of one series: its problem, and what is usual for it."""

    past: Past = Past()


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


class HighErrorRate(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens when the mean of `open_after` windows in a row is bad; resolves after `close_after` good ones.

    A mean is bad from `open_at` on, and from `rise_factor` times the series' own past (but at least `rise_at`) when the
    sequential test is certain that the ratio has risen: by chance once in `chance_once_in` windows. A mean is good
    below the same share of that limit as `close_at` has of `open_at`. All ratios are in [0, 1].

    The test counts requests when the service sends a series `requests` (per second) with the same environment and
    labels, else samples, as if each were one request: too few for small ratios, so that only `open_at` decides there.
    A window counts with `min_requests` requests, or without such a series with `min_samples` samples.

    >>> detector = HighErrorRate(open_after=1)
    >>> window = ClosedWindow(start=0, end=60, count=10, sum=2.0, min=0.1, max=0.3, stale=False)
    >>> series = Series("id", "shop", "production", "error_rate", (), "gauge", "1")
    >>> state, finding = detector.judge(detector.anew(0), window, series, lambda metric: None)
    >>> finding.status, finding.severity, finding.evidence["mean"]
    ('open', 'P2', 0.2)
    """

    metrics: tuple[str, ...] = ("error_rate",)
    open_at: float = 0.05
    close_at: float = 0.03
    min_samples: int = 1
    requests: str = "request_rate"
    min_requests: float = 50.0
    rise_at: float = 0.01
    rise_factor: float = 5.0
    chance_once_in: float = 1e9
    learn_windows: int = 120
    severity: SeverityLimits = SeverityLimits()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.close_at <= self.open_at <= 1:
            raise ValueError(
                f"close_at {self.close_at} and open_at {self.open_at}: 0 < close_at <= open_at <= 1 must hold"
            )
        if not 0 < self.rise_at <= self.open_at:
            raise ValueError(f"rise_at {self.rise_at}: 0 < rise_at <= open_at ({self.open_at}) must hold")
        if self.min_samples < 1:
            raise ValueError(f"min_samples is {self.min_samples}: it must be at least 1")
        check_learn_windows(self.learn_windows)
        for name in ("rise_factor", "chance_once_in"):
            if not getattr(self, name) > 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 1")

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""
        return NAME

    @property
    def companions(self) -> tuple[str, ...]:
        return (self.requests,)

    def watches(self, series: Series) -> bool:
        """Gauges of the configured metrics; a counter is no ratio."""
        return series.kind == "gauge" and series.metric in self.metrics

    def anew(self, opened: int) -> HighErrorRateState:
        return HighErrorRateState(opened=opened)

    def judge(
        self, state: HighErrorRateState, window: ClosedWindow, series: Series, companion: Companion
    ) -> tuple[HighErrorRateState, Finding | None]:
        """Return the state after `window`, and a finding when a problem opens, becomes worse, or is over."""
        scale = ratio_scale(series)
        if window.min < 0 or window.max * scale > ROUNDED:
            return state, None
        mean = min(window.mean * scale, 1.0)
        rate = companion(self.requests)
        requests = None if rate is None else max(0.0, rate) * (window.end - window.start)
        if window.count < self.min_samples if requests is None else requests < self.min_requests:
            return state, None
        past = state.past
        known = past.weight >= self.learn_windows
        if known:
            floor = max(self.rise_at / 2, past.mean * self.rise_factor / 2)
            past = past.bet(mean, window.count if requests is None else requests, floor)
        limit = min(self.open_at, max(self.rise_at, past.mean * self.rise_factor)) if known else self.open_at
        verdict: Verdict = "between"
        if mean >= self.open_at or (mean >= limit and past.evidence >= log(self.chance_once_in)):
            verdict = "bad"
        elif mean < limit * self.close_at / self.open_at:
            verdict = "good"
        severity = self.severity.severity(mean)
        patient = severity == "P0" and requests is None and window.count < FEW
        after, change = follow(state, verdict, severity, window, self._patient() if patient else self)
        if after.status == "none" and verdict != "bad":
            past = past.learned(mean)
        if change is not None and change.kind == "resolved":
            past = past.without_bets()
        after = replace(after, past=past)
        return after, None if change is None else self._told(change, window, mean, limit, past, requests)

    def _patient(self) -> Rules:
        return replace(self, p0_after=max(self.p0_after, self.open_after))

    def _told(
        self, change: Change, window: ClosedWindow, mean: float, limit: float, past: Past, requests: float | None
    ) -> Finding:
        evidence = {
            "mean": mean,
            "max": window.max,
            "samples": float(window.count),
            "limit": limit,
            "usual": past.mean,
            "evidence": past.evidence,
            "window_start": float(window.start),
        }
        of = f"{window.count} samples"
        if requests is not None:
            evidence["requests"] = requests
            of = f"about {requests:,.0f} requests"
        if change.kind == "resolved":
            return change.told(
                f"The error rate is down to {mean:.1%} of {of}; {_windows(self.close_after)} were below "
                f"{limit * self.close_at / self.open_at:.1%}.",
                evidence,
            )
        verb = _VERBS[change.kind]
        if mean >= self.open_at:
            return change.told(f"The error rate {verb} {mean:.1%} of {of}; the limit is {self.open_at:.1%}.", evidence)
        return change.told(
            f"The error rate {verb} {mean:.1%} of {of}; {past.mean:.2%} is usual here, and chance makes so much of it "
            f"at most once in {self.chance_once_in:.0e} windows.",
            evidence,
        )


_VERBS: dict[Literal["opened", "confirmed", "worse", "resolved", "stale"], str] = {
    "opened": "is",
    "stale": "is",
    "confirmed": "is still",
    "worse": "has risen to",
}


def _windows(number: int) -> str:
    return f"{number} windows in a row" if number > 1 else "one window"
