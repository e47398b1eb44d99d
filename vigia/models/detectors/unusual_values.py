"""Finds what no rule looks for: values of any series that are not like its own past, for several windows in a row.

The score of a window is that of `vigia.models.detectors.anomaly`, averaged over the last few so that a single odd
window (a deployment, a restart) is none: 1 - score is a geometric mean of tail probabilities, comparable across series.
"""

from fnmatch import fnmatchcase

from msgspec.structs import replace

from vigia.events.samples import Series
from vigia.models.detectors.anomaly.scorer import AnomalyState, surprise_of
from vigia.models.detectors.base import ClosedWindow, Companion, Finding
from vigia.models.detectors.course import Change, Course, Rules, Verdict, follow

NAME = "unusual_values"

MOST_SURPRISE = 6.0
"""One in a million: a single window counts no more, or one that is beyond all measure would speak for those after it.
"""


class UnusualState(Course, frozen=True, array_like=True, tag=NAME):
    """What is remembered of one series: its problem, its past, and the running mean of the surprise."""

    anomaly: AnomalyState | None = None
    since: int = 0
    """Start of the first window, in epoch seconds."""
    surprise: float = 0.0


class UnusualValues(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens when the score of `open_after` windows in a row is at least `open_at`; resolves after `close_after` windows
    below `close_at`. Nothing opens before the series has been known for `learn` seconds and `learn_windows` windows.

    It watches gauges that no other detector does: those of `metrics` and `services` (patterns, * for any characters)
    that are not of `not_metrics` or `not_services`. All its problems are P3: unusual is not yet wrong.
    """

    metrics: tuple[str, ...] = ("*",)
    services: tuple[str, ...] = ("*",)
    not_metrics: tuple[str, ...] = ()
    not_services: tuple[str, ...] = ("vigia",)
    open_at: float = 0.998
    close_at: float = 0.9
    open_after: int = 3
    p0_after: int = 3
    close_after: int = 30
    memory: int = 5
    learn: float = 3 * 86_400.0
    learn_windows: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.close_at <= self.open_at < 1:
            raise ValueError(
                f"close_at {self.close_at} and open_at {self.open_at}: 0 < close_at <= open_at < 1 must hold"
            )
        if self.memory < 1:
            raise ValueError(f"memory is {self.memory}: it must be at least 1 window")

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""
        return NAME

    def watches(self, series: Series) -> bool:
        """Gauges by the patterns; a counter only grows, which is always new."""
        return (
            series.kind == "gauge"
            and _any(self.metrics, series.metric)
            and _any(self.services, series.service)
            and not _any(self.not_metrics, series.metric)
            and not _any(self.not_services, series.service)
        )

    def anew(self, opened: int) -> UnusualState:
        return UnusualState(opened=opened)

    def judge(
        self,
        state: UnusualState,
        window: ClosedWindow,
        series: Series,
        companion: Companion,  # noqa: ARG002 - the same for all detectors
    ) -> tuple[UnusualState, Finding | None]:
        """Return the state after `window`, and a finding when a problem opens or is over."""
        if state.anomaly is None:
            state = replace(state, anomaly=AnomalyState(), since=window.start)
        anomaly = state.anomaly
        assert anomaly is not None  # noqa: S101 - it was just made
        surprise = surprise_of(anomaly, float(window.start), window.mean)
        if surprise is None:
            return state, None
        surprise = min(surprise, MOST_SURPRISE)
        state = replace(state, surprise=state.surprise + (surprise - state.surprise) / self.memory)
        if anomaly.count < self.learn_windows or window.start - state.since < self.learn:
            return state, None
        score = 1.0 - float(10.0**-state.surprise)
        verdict: Verdict = "bad" if score >= self.open_at else "good" if score < self.close_at else "between"
        after, change = follow(state, verdict, "P3", window, self)
        return after, None if change is None else self._told(change, window, score, anomaly, series)

    def _told(
        self, change: Change, window: ClosedWindow, score: float, anomaly: AnomalyState, series: Series
    ) -> Finding:
        evidence = {"score": score, "value": window.mean, "usual_level": anomaly.long, "usual_change": anomaly.usual}
        unit = f" {series.unit}" if series.unit not in {"", "1"} else ""
        what = (
            f"{series.metric} is {window.mean:.4g}{unit}; its level has been {anomaly.long:.4g}{unit} and usually "
            f"changes by {anomaly.usual:.2g}{unit}"
        )
        verb = "is no longer unusual" if change.kind == "resolved" else "is unusual for this series"
        return change.told(f"{what}: that {verb} (score {score:.4f}).", evidence)


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(pattern == "*" or fnmatchcase(name, pattern) for pattern in patterns)
