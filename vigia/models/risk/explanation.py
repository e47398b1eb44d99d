"""What pushed a score up or down, by feature, in words with the feature's value; the pushes add up to the score."""

from collections.abc import Sequence
from typing import NamedTuple

from vigia.models.risk.basis import COLUMNS, FEATURES
from vigia.models.risk.bayes import Score
from vigia.models.risk.catalog import FEATURES as CATALOG


class Push(NamedTuple):
    """What one feature adds to the log-odds, by all of its columns together."""

    feature: str
    value: float | None
    """In the feature's unit; None when not known."""
    log_odds: float
    words: str


_ABOUT = {feature.name: feature for feature in CATALOG if feature.name in FEATURES}
_OTHERS = {"empty": "whether the change is empty, as merges are recorded", "missing": "share of features not known"}


def explain(score: Score, values: Sequence[float | None]) -> list[Push]:
    """Return the pushes, strongest first; with `score.base` they add up to `score.log_odds`.

    `values` are the change's features in the order of `basis.FEATURES`.
    """
    sums: dict[str, float] = {}
    for column, log_odds in zip(COLUMNS, score.contributions.tolist(), strict=True):
        sums[column.feature] = sums.get(column.feature, 0.0) + log_odds
    known = dict(zip(FEATURES, values, strict=True))
    pushes = [Push(name, known.get(name), push, _words(name, known.get(name), push)) for name, push in sums.items()]
    return sorted(pushes, key=lambda push: -abs(push.log_odds))


def _words(name: str, value: float | None, log_odds: float) -> str:
    what = _ABOUT[name].definition if name in _ABOUT else _OTHERS[name]
    direction = "raises" if log_odds > 0.0 else "lowers"
    if name not in _ABOUT:
        return f"{what}: {direction} the risk"
    how_much = "not known" if value is None else f"{value:g} {_ABOUT[name].unit}"
    return f"{what} ({how_much}): {direction} the risk"
