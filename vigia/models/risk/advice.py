"""What would lower the risk of a deployment, over what can still be changed about it, each by itself.

Nobody can act on the age of a file or an author's experience, so those are never named. What is not known is not
advised on either: nobody knows what it would have to be changed from.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from vigia.models.risk import bayes
from vigia.models.risk.catalog import POSITION
from vigia.models.risk.encoding import COLUMNS, encode
from vigia.models.risk.explanation import shown

LEAST = 0.05
"""Share of the probability that a change must take away to be worth saying."""

MOST = 3
"""Pieces of advice at most."""

Known = Mapping[str, float | None]


class Step(NamedTuple):
    """Something that can be done: the feature that it is about, what to do, and the values then."""

    feature: str
    words: str
    values: dict[str, float]


class Advised(NamedTuple):
    """A step that lowers the risk, and the probability of a failure after it."""

    feature: str
    words: str
    probability: float


SIZES = ("la", "ld", "code_changes_size", "nf", "nd")

LEAST_LINES = 50.0
"""Lines from which on a change is worth parting."""


IN_PARTS = "deploy it in two parts of half its size, so that a failure takes less with it"
"""What two parts are good for: that one of the two fails is seldom less likely than that the whole does."""


def advise(state: bayes.State, values: Sequence[float | None], probability: float) -> list[Advised]:
    """Return the steps that lower `probability`, the most effective first; the state stays as it is.

    `values` are those of `catalog.FEATURES`, in their order and units.
    """
    known = {name: values[position] if position < len(values) else None for name, position in POSITION.items()}
    found = []
    for step in _steps(state, known):
        now = bayes.score(state, encode([step.values.get(name, value) for name, value in known.items()])).probability
        if now <= probability * (1.0 - LEAST):
            found.append(Advised(step.feature, step.words, now))
    return sorted(found, key=lambda each: (each.probability, each.feature))[:MOST]


def _steps(state: bayes.State, known: Known) -> Iterator[Step]:
    smaller = {name: math.ceil(value / 2.0) for name in SIZES if (value := known[name]) is not None and value > 1.0}
    for name in ("la", "code_changes_size", "ld"):
        size = known[name]
        if size is not None and size >= LEAST_LINES:
            half = {each: float(value) for each, value in smaller.items()}
            yield Step(name, f"{IN_PARTS}; the probability is that of each part", half)
            break
    for name, best, say in _TO_BE_DONE:
        value = known[name]
        if value is not None and value != best:
            yield Step(name, say(shown(name, value)), {name: best})
    hour, now = _quietest_hour(state), known["time_of_day"]
    if hour is not None and now is not None and abs(hour - now) >= 1.0:
        words = f"deploy it at about {shown('time_of_day', hour)} instead of {shown('time_of_day', now)}"
        yield Step("time_of_day", words, {"time_of_day": hour})


_TO_BE_DONE: tuple[tuple[str, float, Callable[[str], str]], ...] = (
    ("tests_passed_pct", 100.0, lambda now: f"mend the failing tests (now {now} pass)"),
    ("code_review_score", 10.0, lambda now: f"have it reviewed more thoroughly (review quality is {now})"),
    ("behind_flag", 1.0, lambda _now: "put it behind a feature flag"),
    ("open_incident", 0.0, lambda _now: "wait until the open incident is resolved"),
    ("in_flight", 0.0, lambda now: f"wait until the other deployments of the service have finished ({now})"),
)

_SINE, _COSINE = (
    next(place for place, column in enumerate(COLUMNS) if column.name == f"time_of_day_{wave}")
    for wave in ("sine", "cosine")
)


def _quietest_hour(state: bayes.State) -> float | None:
    """Return the full hour at which the model expects least, or None while it knows of no difference."""
    sine, cosine = (
        # the intercept stands between the first columns and the others
        float(state.mean[place + 1] * state.scales.factor[place])
        for place in (_SINE, _COSINE)
    )
    if math.hypot(sine, cosine) == 0.0:
        return None
    # sine and cosine add up to a wave that is highest at this angle, and lowest opposite to it
    return float(round((math.atan2(sine, cosine) / math.tau + 0.5) * 24.0) % 24)
