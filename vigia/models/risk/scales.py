"""The running mean and spread of each column, by which a change is told apart from what its scope is used to.

They start from a prior that weighs as much as some changes. A column that is not known (NaN) neither moves them nor
stands away from them.
"""

import msgspec
import numpy as np

from vigia.models.risk.basis import Vector
from vigia.models.risk.encoding import COLUMNS

CLIP = 5.0
"""Standard deviations: a column further out is moved in, so that one absurd value neither decides nor teaches much."""

# arrays, since numpy takes longer with a number
_LOWEST, _HIGHEST = np.full(len(COLUMNS), -CLIP), np.full(len(COLUMNS), CLIP)


class Scales(msgspec.Struct):
    """One entry a column in each array."""

    changes: Vector
    centre: Vector
    squares: Vector
    """Observations, their mean, and the sum of squared distances from it, above zero; the prior's among them."""
    factor: Vector = msgspec.field(default_factory=lambda: np.empty(len(COLUMNS)))
    """One divided by the standard deviation: it follows from the others and is kept for speed."""

    def __post_init__(self) -> None:
        self._measure()

    def standard(self, columns: Vector) -> Vector:
        """Return how far the columns are from their means, in standard deviations in [-CLIP, CLIP]; 0: not known."""
        away = columns - self.centre
        away[np.isnan(away)] = 0.0
        return self._standard(away)

    def observe(self, columns: Vector) -> Vector:
        """Take in the columns of a change, and return them as `standard` then does."""
        away = columns - self.centre
        absent = np.isnan(away)
        away[absent] = 0.0
        self.changes += ~absent
        share = away / self.changes
        self.centre += share
        rest = away - share
        away *= rest
        self.squares += away
        self._measure()
        return self._standard(rest)

    def _measure(self) -> None:
        np.divide(self.changes, self.squares, out=self.factor)
        np.sqrt(self.factor, out=self.factor)

    def _standard(self, away: Vector) -> Vector:
        away *= self.factor
        np.minimum(away, _HIGHEST, out=away)
        np.maximum(away, _LOWEST, out=away)
        return away
