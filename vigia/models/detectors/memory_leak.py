"""Finds processes whose memory grows until it ends: growth that daily cycles and restarts do not explain.

What comes after a restart is never compared with what was before it, and only the same hours of days with each other.
"""

from vigia.events.feedback import Severity
from vigia.events.samples import Series
from vigia.models.detectors.base import ClosedWindow, Companion, Finding
from vigia.models.detectors.course import Change, Verdict
from vigia.models.detectors.growth import (
    GrowthRules,
    GrowthState,
    follow_growth,
    in_words,
    look_ahead,
    numbers,
)
from vigia.models.detectors.units import BYTES, RATIOS, ROUNDED, ratio_scale

NAME = "memory_leak"


class MemoryState(GrowthState, frozen=True, array_like=True, tag=NAME):
    """What is remembered of one process, or of many that share a series."""


class MemoryLeak(GrowthRules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens when the trend of `open_after` windows in a row reaches the limit within `soon_hours` by the last hour or
    `later_hours` by the last days; resolves after `close_after` windows without such a trend.

    The limit of a ratio (or percent) is 1. Of bytes it is `limit_bytes`, or the latest value of the series
    `limit_metric` with the same environment and labels; while neither is known, bytes are not judged.

    >>> detector = MemoryLeak()
    >>> window = ClosedWindow(start=0, end=60, count=1, sum=96.0, min=96.0, max=96.0, stale=False)
    >>> series = Series("id", "shop", "production", "memory_used", (), "gauge", "%")
    >>> detector.judge(detector.anew(0), window, series, lambda metric: None)[1] is None
    True
    """

    metrics: tuple[str, ...] = ("memory_used", "memory_used_ratio")
    limit_bytes: float = 0.0
    limit_metric: str = "memory_limit"
    close_after: int = 180

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.limit_bytes >= 0:
            raise ValueError(f"limit_bytes is {self.limit_bytes}: it must be at least 0 (unknown)")

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""
        return NAME

    @property
    def companions(self) -> tuple[str, ...]:
        return (self.limit_metric,)

    def watches(self, series: Series) -> bool:
        """Gauges of the configured metrics, as ratios, in percent or in bytes."""
        return series.kind == "gauge" and series.metric in self.metrics and series.unit in (*RATIOS, *BYTES)

    def anew(self, opened: int) -> MemoryState:
        return MemoryState(opened=opened)

    def judge(
        self, state: MemoryState, window: ClosedWindow, series: Series, companion: Companion
    ) -> tuple[MemoryState, Finding | None]:
        """Return the state after `window`, and a finding when a problem opens, becomes worse, or is over."""
        scale = ratio_scale(series)
        limit: float | None = 1.0
        if series.unit in BYTES:
            limit = self.limit_bytes or companion(self.limit_metric)
        if limit is None or limit <= 0 or window.min < 0 or window.max * scale > ROUNDED * limit:
            return state, None
        share = min(window.mean * scale / limit, 1.0)
        state = look_ahead(state, window, share, self, lives=True)
        verdict: Verdict = "good" if state.nearest is None else "bad"
        after, change = follow_growth(state, verdict, self._severity(state), window, self)
        return after, None if change is None else self._told(change, share, state)

    def _severity(self, state: MemoryState) -> Severity:
        if state.nearest is None:
            return "P3"
        if state.nearest.hours <= self.soon_hours / 3:
            return "P1"
        return "P2" if state.nearest.hours <= 2 * self.soon_hours else "P3"

    def _told(self, change: Change, level: float, state: MemoryState) -> Finding:
        evidence = {"used": level, **numbers(state.nearest)}
        if state.nearest is None:
            return change.told(f"Memory is at {level:.1%} of its limit and no longer grows towards it.", evidence)
        return change.told(
            f"Memory is at {level:.1%} of its limit and grows by {state.nearest.growth:.2%} of it an hour, beyond what "
            f"days and restarts explain; it reaches the limit {in_words(state.nearest)}.",
            evidence,
        )
