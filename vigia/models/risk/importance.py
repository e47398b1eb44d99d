"""What the model of a scope looks at most: how far each feature moves the log-odds of its scores.

A column that lies one standard deviation from its mean adds its weight, times the slope of the calibration, to the
log-odds: about the mean of what it adds, whatever the sign. The columns of a feature are summed, though they may work
against each other, so this is at most what the feature moves. It says what the model goes by, and not what makes
deployments fail.
"""

from typing import NamedTuple

import numpy as np

from vigia.models.risk.bayes import JOINT, State
from vigia.models.risk.encoding import COLUMNS
from vigia.models.risk.explanation import definition


class Importance(NamedTuple):
    """A feature, and what it moves the log-odds by when it is as unusual as it commonly is, at most."""

    feature: str
    words: str
    log_odds: float


def importance(state: State) -> list[Importance]:
    """Return the features that move scores at all, the strongest first; the state stays as it is."""
    moved = np.abs(np.delete(state.mean, JOINT - 1)) * abs(state.slope)
    sums: dict[str, float] = {}
    for column, log_odds in zip(COLUMNS, moved.tolist(), strict=True):
        sums[column.feature] = sums.get(column.feature, 0.0) + log_odds
    found = [Importance(name, definition(name), log_odds) for name, log_odds in sums.items() if log_odds > 0.0]
    return sorted(found, key=lambda each: (-each.log_odds, each.feature))
