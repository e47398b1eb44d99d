"""What pushed a score up or down, by feature, in words with the feature's value; the pushes add up to the score."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from vigia.models.risk.bayes import Score
from vigia.models.risk.catalog import BY_NAME, NAMES
from vigia.models.risk.encoding import COLUMNS


class Push(NamedTuple):
    """What one feature adds to the log-odds, by all of its columns together."""

    feature: str
    value: float | None
    """In the feature's unit; None when not known."""
    log_odds: float
    words: str


_OTHERS = {
    "empty": "whether the change is empty, as merges are recorded",
    "missing": "share of the change's features that are not known",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def explain(score: Score, values: Sequence[float | None]) -> list[Push]:
    """Return the pushes, strongest first; with `score.base` they add up to `score.log_odds`.

    `values` are those of `catalog.FEATURES`, in their order and units; a shorter list lacks the last ones.
    """
    sums: dict[str, float] = {}
    for column, log_odds in zip(COLUMNS, score.contributions.tolist(), strict=True):
        sums[column.feature] = sums.get(column.feature, 0.0) + log_odds
    known = dict(zip(NAMES, values, strict=False))
    pushes = [Push(name, known.get(name), push, _words(name, known.get(name), push)) for name, push in sums.items()]
    return sorted(pushes, key=lambda push: -abs(push.log_odds))


def _words(name: str, value: float | None, log_odds: float) -> str:
    direction = "raises" if log_odds > 0.0 else "lowers"
    if name in _OTHERS:
        return f"{definition(name)}: {direction} the risk"
    return f"{definition(name)} ({shown(name, value)}): {direction} the risk"


def definition(name: str) -> str:
    """Return what a feature is, in words."""
    return _OTHERS[name] if name in _OTHERS else BY_NAME[name].definition


def shown(name: str, value: float | None) -> str:
    """Return a feature's value as a person would say it.

    >>> shown("la", 420.0), shown("since_last_deployment", 7200.0), shown("time_of_day", 17.5), shown("nf", None)
    ('420 lines', '2 hours', '17:30 UTC', 'not known')
    """
    if value is None or not math.isfinite(value):
        return "not known"
    unit = BY_NAME[name].unit
    return _UNITS[unit](value) if unit in _UNITS else f"{value:.4g} {unit}"


def _duration(seconds: float) -> str:
    for name, length in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} seconds"


_UNITS: dict[str, Callable[[float], str]] = {
    "hours": lambda value: f"{int(value):02}:{int(value % 1.0 * 60.0):02} UTC",
    "days since Monday": lambda value: _DAYS[int(value) % 7],
    "0 or 1": lambda value: "yes" if value else "no",
    "count": lambda value: f"{value:.4g}",
    "share": "{:.0%}".format,
    "seconds": _duration,
    "0 to 10": lambda value: f"{value:.4g} of 10",
}
