"""Finds databases that answer slowly: the 95th percentile of query durations, and the share or rate of slow queries.

Three kinds of series tell of it: durations of single queries, percentiles that the sender has computed already, and
slow queries per second. Each is judged on its own; durations by their percentile and by their share of slow ones.
"""

from dataclasses import dataclass
from math import exp, log

from msgspec.structs import replace

from vigia.events.feedback import Severity
from vigia.events.samples import Series
from vigia.models.detectors.base import ClosedWindow, Companion, Finding
from vigia.models.detectors.course import Course, Rules, Verdict, follow
from vigia.models.detectors.sequential import Past, check_learn_windows
from vigia.models.detectors.units import SECONDS
from vigia.models.windows.totals import sketch_in

NAME = "database_slow_queries"

_MEMORY = 1_440.0
"""Windows in what is usual: a day of minutes."""


class SlowQueriesState(Course, frozen=True, array_like=True, tag=NAME):
    """What is remembered of one series: its problem, the usual share of slow queries and the usual figure."""

    past: Past = Past()
    usual: float = 0.0
    """Running geometric mean of the percentile or rate, as a natural logarithm."""
    weight: float = 0.0
    """Windows in `usual`, up to a day of minutes."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A window's figure (seconds if `timed`, else slow queries a second), its limit, and the share of slow queries."""

    timed: bool
    figure: float
    limit: float
    share: float
    bad: bool
    good: bool


class DatabaseSlowQueries(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens when `open_after` windows in a row are bad: the 95th percentile is at least `p95_at` seconds, or at least
    `rise_factor` times what is usual for the series and `least_p95`; or, of durations, the share of queries that take
    at least `slow_after` seconds is `share_at`, or certainly above its own past (by chance once in `chance_once_in`
    windows); or there are `rate_at` slow queries a second, or `rise_factor` times the usual rate and `least_rate`.

    A window is good when nothing is above `close_share` of its limit.

    >>> detector = DatabaseSlowQueries(open_after=1)
    >>> window = ClosedWindow(start=0, end=60, count=9, sum=27_000.0, min=3_000.0, max=3_000.0, stale=False)
    >>> series = Series("id", "shop", "production", "db_query_p95", (), "gauge", "ms")
    >>> detector.judge(detector.anew(0), window, series, lambda metric: None)[1].severity
    'P2'
    """

    durations: tuple[str, ...] = ("db_query_duration",)
    p95s: tuple[str, ...] = ("db_query_p95",)
    rates: tuple[str, ...] = ("db_slow_query_rate",)
    open_after: int = 5
    p0_after: int = 3
    close_after: int = 5
    close_share: float = 0.6
    min_queries: int = 20
    slow_after: float = 1.0
    p95_at: float = 1.0
    least_p95: float = 0.1
    share_at: float = 0.1
    least_share: float = 0.01
    rate_at: float = 5.0
    least_rate: float = 0.2
    rise_factor: float = 4.0
    chance_once_in: float = 1e9
    learn_windows: int = 120

    def __post_init__(self) -> None:
        super().__post_init__()
        check_learn_windows(self.learn_windows)
        for name in ("close_share", "share_at", "least_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0 and at most 1")
        for name in ("slow_after", "p95_at", "least_p95", "rate_at", "least_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0")
        for name in ("rise_factor", "chance_once_in"):
            if not getattr(self, name) > 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 1")

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""
        return NAME

    def watches(self, series: Series) -> bool:
        """Gauges of the configured metrics; durations in a unit of time."""
        if series.kind != "gauge":
            return False
        timed = series.metric in self.durations or series.metric in self.p95s
        return series.metric in self.rates or (timed and series.unit in SECONDS)

    def wants_sketch(self, series: Series) -> bool:
        return series.metric in self.durations

    def anew(self, opened: int) -> SlowQueriesState:
        return SlowQueriesState(opened=opened)

    def judge(
        self,
        state: SlowQueriesState,
        window: ClosedWindow,
        series: Series,
        companion: Companion,  # noqa: ARG002 - the same for all detectors
    ) -> tuple[SlowQueriesState, Finding | None]:
        """Return the state after `window`, and a finding when a problem opens, becomes worse, or is over."""
        timed = series.metric not in self.rates
        if window.min < 0 or (series.metric in self.durations and window.count < self.min_queries):
            return state, None
        unit = SECONDS[series.unit] if timed else 1.0
        figure, share = window.mean * unit, 0.0
        if series.metric in self.durations:
            sketch = sketch_in(window.digest)
            figure, share = sketch.quantile(0.95) * unit, sketch.share_from(self.slow_after / unit)
        state, judged = self._judged(state, figure, share, window, timed=timed)
        verdict: Verdict = "bad" if judged.bad else "good" if judged.good else "between"
        after, change = follow(state, verdict, self._severity(judged), window, self)
        if after.status == "none" and verdict != "bad":
            after = _learned(after, judged)
        if change is None:
            return after, None
        if change.kind == "resolved":
            after = replace(after, past=after.past.without_bets())
        return after, change.told(
            self._why(judged, "fast again" if change.kind == "resolved" else "slow"), self._evidence(judged, window)
        )

    def _judged(
        self, state: SlowQueriesState, figure: float, share: float, window: ClosedWindow, *, timed: bool
    ) -> tuple[SlowQueriesState, _Judged]:
        at, least = (self.p95_at, self.least_p95) if timed else (self.rate_at, self.least_rate)
        known = state.weight >= self.learn_windows
        limit, share_limit = at, self.share_at
        surely = False
        if known:
            limit = min(at, max(least, exp(state.usual) * self.rise_factor))
            share_limit = min(self.share_at, max(self.least_share, state.past.mean * self.rise_factor))
            bet = state.past.bet(share, window.count, share_limit / 2)
            surely = bet.evidence >= log(self.chance_once_in)
            state = state if bet is state.past else replace(state, past=bet)
        bad = figure >= limit or share >= self.share_at or (surely and share >= share_limit)
        good = figure < self.close_share * limit and share < self.close_share * share_limit
        return state, _Judged(timed, figure, limit, share, bad, good)

    def _severity(self, judged: _Judged) -> Severity:
        times = judged.figure / (self.p95_at if judged.timed else self.rate_at)
        if times >= 10 or judged.share >= 0.9:  # noqa: PLR2004 - the scale of severities is this
            return "P0"
        if times >= 5 or judged.share >= 0.5:  # noqa: PLR2004
            return "P1"
        return "P2" if times >= 2 or judged.share >= 0.25 else "P3"  # noqa: PLR2004

    def _why(self, judged: _Judged, how: str) -> str:
        figure = (
            f"the 95th percentile of query durations is {judged.figure:.3g} s (limit {judged.limit:.3g} s)"
            if judged.timed
            else f"there are {judged.figure:.3g} slow queries a second (limit {judged.limit:.3g})"
        )
        share = f", and {judged.share:.1%} take {self.slow_after:g} s or more" if judged.share else ""
        return f"The database is {how}: {figure}{share}."

    def _evidence(self, judged: _Judged, window: ClosedWindow) -> dict[str, float]:
        return {
            "figure": judged.figure,
            "limit": judged.limit,
            "slow_share": judged.share,
            "queries": float(window.count),
            "window_start": float(window.start),
        }


def _learned(state: SlowQueriesState, judged: _Judged) -> SlowQueriesState:
    weight = min(state.weight + 1.0, _MEMORY)
    usual = state.usual + (log(max(judged.figure, 1e-9)) - state.usual) / weight
    return replace(state, past=state.past.learned(judged.share), usual=usual, weight=weight)
