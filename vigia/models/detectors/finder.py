"""Runs the detectors over the windows that close, and turns what they find into problems.

Which detectors look at a series, with which limits, follows from the configuration and the series alone. The general
one looks at what no rule covers.
"""

from collections.abc import Mapping
from functools import partial
from math import isfinite
from typing import NamedTuple, Protocol

from vigia.events.effects import Changes
from vigia.events.figures import PROBLEMS_HELD, PROBLEMS_OPENED, PROBLEMS_RESOLVED, PROBLEMS_STALE, PROBLEMS_WORSE
from vigia.events.samples import Series
from vigia.models.detectors.base import ClosedWindow, Detector, Finding
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.course import unchanged
from vigia.models.detectors.mutes import Mute
from vigia.models.detectors.problems import limit_over, limit_reached, not_known_to_be_over, problem_of, tell
from vigia.models.detectors.quota import HOUR, Quota
from vigia.models.detectors.said import SaidMutes, is_muted
from vigia.models.detectors.states import DetectorState

RECENT = 600
"""Seconds between the ends of two windows of different series that may be judged together."""


class Watch(NamedTuple):
    """Who looks at one series: the detectors, each with the mutes that may concern it."""

    detectors: tuple[tuple[Detector, tuple[Mute, ...]], ...]
    sketch: bool
    """Whether its windows must come with their sketch."""
    kept: bool
    """Whether others may ask for its latest mean."""

    def __bool__(self) -> bool:
        return bool(self.detectors) or self.kept


class Looked(NamedTuple):
    """One series as the detectors see it; `states` is changed in place."""

    series: Series
    watch: Watch
    states: dict[str, DetectorState]


Level = tuple[int, float]
"""End and mean of a window."""


class Around(Protocol):
    """The service of a series, as far as its detectors are concerned."""

    quota: Quota
    """Changed in place."""
    mutes: SaidMutes
    """What people have muted by event."""
    forgotten_problems: int
    """How many problems may have been opened on a series by a detector that has no state of it."""

    def level_of(self, series: Series, metric: str) -> Level | None:
        """Return the latest window of the series that differs from `series` by its metric alone, if it is kept."""


class Finder:
    """The configured detectors. States are kept by the caller, one dict (detector name to state) a series."""

    def __init__(self, config: DetectorConfig) -> None:
        self._config = config
        detectors: tuple[Detector, ...] = (*config.rules, config.unusual_values)
        self._overrides = {each.name: config.overrides_of(each.name) for each in detectors}
        every = [*config.rules, *(other for rule in config.rules for _, other in self._overrides[rule.name])]
        self._companions = {metric for detector in every if detector.enabled for metric in detector.companions}

    def watch(self, series: Series) -> Watch:
        """Return who looks at a series. It is always the same, and takes longer than one look: keep it."""
        rules = [self._limits(each, series) for each in self._config.rules]
        looking = [each for each in rules if each.watches(series)]
        if not looking:
            general = self._limits(self._config.unusual_values, series)
            looking = [general] if general.watches(series) else []
        looking = [each for each in looking if each.enabled]
        return Watch(
            tuple((each, self._mutes(series, each)) for each in looking),
            sketch=any(each.wants_sketch(series) for each in looking),
            # a counter's sum is no rate and no limit
            kept=series.kind == "gauge" and series.metric in self._companions,
        )

    def look(self, looked: Looked, window: ClosedWindow, around: Around, clock: float, changes: Changes) -> None:
        """Give one closed window of a series to its detectors; changes their states and the quota in place.

        `clock` is the Kafka time of what closed it. A window that holds what is no number says nothing.
        """
        series, states, quota = looked.series, looked.states, around.quota
        self.pass_hour(series.service, quota, window.end, changes)
        if not isfinite(window.sum):
            return
        for detector, mutes in looked.watch.detectors:
            name = detector.name
            before = states.get(name)
            muted = bool(mutes or around.mutes) and (
                any(mute.holds(series, name, window.end) for mute in mutes)
                or is_muted(around.mutes, series, window.end, clock, name)
            )
            if muted and (before is None or before.status == "none"):
                continue
            if before is None:
                before = detector.anew(around.forgotten_problems)
            companion = partial(_recent, around, series, window.end) if detector.companions else _unknown
            after, finding = detector.judge(before, window, series, companion)
            if finding is not None and muted and finding.status != "resolved":
                states[name] = unchanged(before, after)
                continue
            if finding is not None and finding.begins and quota.opened >= self._config.problems_per_hour:
                self._hold_back(series, window, quota, changes)
                states[name] = unchanged(before, after)
                continue
            states[name] = after
            if finding is not None:
                quota.opened += finding.begins
                tell(problem_of(series, name, finding, at=window.end), changes, _figure(finding))

    def give_up(
        self, series: Series, states: Mapping[str, DetectorState], since: float, at: float, changes: Changes
    ) -> None:
        """Tell of the problems that are open on a series that they are stale: it has sent nothing from `since` to `at`.

        Missing data is unknown, never fine, so they are not resolved.
        """
        for name, state in states.items():
            if state.status == "open":
                tell(not_known_to_be_over(series, name, state, since, at), changes, PROBLEMS_STALE)

    def pass_hour(self, service: str, quota: Quota, end: int, changes: Changes) -> None:
        """A window of the service that ends at `end` has closed: another hour may have begun."""
        hour = end // HOUR
        if hour > quota.hour:
            self.end_limit(service, quota, float(end), changes)
            quota.begin(hour)

    def end_limit(self, service: str, quota: Quota, at: float, changes: Changes) -> None:
        """Tell that the hour is over in which the service reached its limit, if it has."""
        if quota.since:
            tell(limit_over(service, quota, at), changes, PROBLEMS_RESOLVED)
            quota.since = 0.0

    def _limits(self, detector: Detector, series: Series) -> Detector:
        for match, limits in reversed(self._overrides[detector.name]):
            if match.matches(series):
                return limits
        return detector

    def _mutes(self, series: Series, detector: Detector) -> tuple[Mute, ...]:
        return tuple(
            mute
            for mute in self._config.mute
            if (not mute.detectors or detector.name in mute.detectors) and mute.matches(series)
        )

    def _hold_back(self, series: Series, window: ClosedWindow, quota: Quota, changes: Changes) -> None:
        quota.held += 1
        changes.count(PROBLEMS_HELD)
        if not quota.since:
            quota.reached += 1
            quota.since, quota.environment = float(window.end), series.environment
            tell(limit_reached(series.service, quota, self._config.problems_per_hour), changes, PROBLEMS_OPENED)


def _figure(finding: Finding) -> str:
    if finding.status == "open":
        return PROBLEMS_OPENED if finding.begins else PROBLEMS_WORSE
    return PROBLEMS_RESOLVED if finding.status == "resolved" else PROBLEMS_STALE


def _recent(around: Around, series: Series, end: int, metric: str) -> float | None:
    level = around.level_of(series, metric)
    return level[1] if level is not None and abs(level[0] - end) <= RECENT else None


def _unknown(_metric: str) -> float | None:
    return None
