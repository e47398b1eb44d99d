"""Finds disks that are nearly full, and those that will be: by their level, and by when a robust trend reaches the end.

A clean-up that makes room every night is no trend, and neither is the backup that fills the room again.
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
from vigia.models.detectors.units import RATIOS, ROUNDED, ratio_scale

NAME = "disk_space_low"


class DiskState(GrowthState, frozen=True, array_like=True, tag=NAME):
    """What is remembered of one disk."""


class DiskSpaceLow(GrowthRules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens when `open_after` windows in a row have a mean of at least `open_at` (used of all, a ratio), or the trend
    reaches 1 within `soon_hours` by the last hour or `later_hours` by the last days. Resolves after `close_after`
    windows below `close_at` without such a trend.

    >>> detector = DiskSpaceLow(open_after=1)
    >>> window = ClosedWindow(start=0, end=60, count=1, sum=96.0, min=96.0, max=96.0, stale=False)
    >>> series = Series("id", "shop", "production", "disk_used", (), "gauge", "%")
    >>> detector.judge(detector.anew(0), window, series, lambda metric: None)[1].severity
    'P1'
    """

    metrics: tuple[str, ...] = ("disk_used", "disk_used_ratio")
    open_at: float = 0.9
    close_at: float = 0.88
    p1_at: float = 0.95
    p0_at: float = 0.98
    p0_after: int = 3
    close_after: int = 15

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.close_at <= self.open_at <= self.p1_at <= self.p0_at <= 1:
            raise ValueError(
                f"0 < close_at ({self.close_at}) <= open_at ({self.open_at}) <= p1_at ({self.p1_at}) "
                f"<= p0_at ({self.p0_at}) <= 1 must hold"
            )

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""
        return NAME

    def watches(self, series: Series) -> bool:
        """Gauges of the configured metrics, as ratios or in percent."""
        return series.kind == "gauge" and series.metric in self.metrics and series.unit in RATIOS

    def anew(self, opened: int) -> DiskState:
        return DiskState(opened=opened)

    def judge(
        self,
        state: DiskState,
        window: ClosedWindow,
        series: Series,
        companion: Companion,  # noqa: ARG002 - the same for all detectors
    ) -> tuple[DiskState, Finding | None]:
        """Return the state after `window`, and a finding when a problem opens, becomes worse, or is over."""
        scale = ratio_scale(series)
        if window.min < 0 or window.max * scale > ROUNDED:
            return state, None
        level = min(window.mean * scale, 1.0)
        state = look_ahead(state, window, level, self, lives=False)
        verdict: Verdict = "between"
        if level >= self.open_at or state.nearest is not None:
            verdict = "bad"
        elif level < self.close_at:
            verdict = "good"
        after, change = follow_growth(state, verdict, self._severity(level, state), window, self)
        return after, None if change is None else self._told(change, level, state)

    def _severity(self, level: float, state: DiskState) -> Severity:
        hours = state.nearest.hours if state.nearest is not None else None
        if level >= self.p0_at:
            return "P0"
        if level >= self.p1_at or (hours is not None and hours <= self.soon_hours / 3):
            return "P1"
        return "P2" if level >= self.open_at or (hours is not None and hours <= 2 * self.soon_hours) else "P3"

    def _told(self, change: Change, level: float, state: DiskState) -> Finding:
        evidence = {"used": level, "limit": self.open_at, **numbers(state.nearest)}
        if change.kind == "resolved":
            return change.told(f"The disk is {level:.1%} full and does not go on filling up.", evidence)
        why = f"The disk is {level:.1%} full"
        if level >= self.open_at:
            why += f"; the limit is {self.open_at:.0%}"
        if state.nearest is not None:
            why += f"; at this rate it is full {in_words(state.nearest)}"
        return change.told(why + ".", evidence)
