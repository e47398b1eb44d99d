"""What the detectors of levels that grow towards a limit share: disks that fill, processes that leak."""

from typing import TypeVar

from msgspec.structs import replace

from vigia.events.feedback import Severity
from vigia.models.detectors.base import ClosedWindow
from vigia.models.detectors.course import Change, Course, Rules, Verdict, follow
from vigia.models.detectors.history import History
from vigia.models.detectors.outlook import DAY, LONGEST, Outlook, ceiling_of, within_days, within_hours


class GrowthState(Course, frozen=True, array_like=True):
    """What is remembered of one level: its problem, its past, and what was last seen coming, by hours and by days."""

    history: History | None = None
    soon: Outlook | None = None
    later: Outlook | None = None
    ceiling: float | None = None
    """What was new when the problem opened; None when it had nothing to do with growth, or there is no problem."""

    @property
    def nearest(self) -> Outlook | None:
        """What is seen coming first."""
        seen = [each for each in (self.soon, self.later) if each is not None]
        return min(seen, key=_hours) if seen else None


G = TypeVar("G", bound=GrowthState)


class GrowthRules(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which growth matters: one that reaches the limit within so many hours, by the last hour and by the last days."""

    soon_hours: float = 6.0
    later_hours: float = 72.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.soon_hours <= self.later_hours:
            raise ValueError(f"0 < soon_hours ({self.soon_hours}) <= later_hours ({self.later_hours}) must hold")


def look_ahead(state: G, window: ClosedWindow, level: float, rules: GrowthRules, *, lives: bool) -> G:
    """Return the state with a window taken in, and a new outlook when it completed a step. `level` is a share of the
    limit; with `lives` a fall begins a new life, before which nothing counts.

    While a problem is open growth need not be new to count, and twice the hours matter: it ends when the growth does.
    """
    history = state.history or History()
    fine, coarse = history.add(window.start, level)
    if state.history is None:
        return replace(state, history=history)
    new = state.status == "none"
    times = 1.0 if new else 2.0
    if fine:
        soon = within_hours(history, times * rules.soon_hours, new=new)
        state = state if soon is state.soon else replace(state, soon=soon)
    if coarse:
        later = within_days(history, times * rules.later_hours, new=new, lives=lives)
        state = state if later is state.later else replace(state, later=later)
    return state


def follow_growth(
    state: G, verdict: Verdict, severity: Severity, window: ClosedWindow, rules: GrowthRules
) -> tuple[G, Change | None]:
    """Do as `follow`; what was usual before a problem is kept until its end, and what belonged to it does not become
    usual.
    """
    after, change = follow(state, verdict, severity, window, rules)
    if change is None:
        return after, None
    if change.kind == "resolved":
        return _ended(after), change
    return (_opened(after) if state.status == "none" else after), change


def _opened(state: G) -> G:
    history = state.history or History()
    return replace(state, ceiling=ceiling_of(history, DAY) if state.nearest is not None else None)


def _ended(state: G) -> G:
    if state.history is not None and state.ceiling is not None:
        state.history.forget_above(state.ceiling)
    return replace(state, ceiling=None)


def in_words(outlook: Outlook) -> str:
    """Return when the limit is reached.

    >>> in_words(Outlook(5.0, 4.0, 60.0, 0.02, 4.1))
    'in 5.0 hours (95 % interval 4.0 hours to 2.5 days)'
    """
    return f"in {_duration(outlook.hours)} (95 % interval {_duration(outlook.low)} to {_duration(outlook.high)})"


def numbers(outlook: Outlook | None) -> dict[str, float]:
    """Return an outlook as evidence."""
    if outlook is None:
        return {}
    return {
        "hours_to_limit": outlook.hours,
        "hours_to_limit_low": outlook.low,
        "hours_to_limit_high": outlook.high,
        "growth_per_hour": outlook.growth,
        "trend_z": outlook.z,
    }


def _duration(hours: float) -> str:
    if hours >= LONGEST:
        return "over a year"
    return f"{hours:.1f} hours" if hours < 2 * DAY else f"{hours / DAY:.1f} days"


def _hours(outlook: Outlook) -> float:
    return outlook.hours
