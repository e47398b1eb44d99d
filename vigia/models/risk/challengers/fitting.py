"""Two batch models that are trained anew from all that is known: a random forest and gradient boosting over histograms.

They read the columns of the online model (`encoding.py`), NaN for what is not known. Their constants are usual ones,
written down and not searched for; trees are kept small, so that a model is a few megabytes whatever it was trained on.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from vigia.models.risk.encoding import encode
from vigia.models.risk.features import Values

Kind = Literal["random_forest", "hist_gradient_boosting"]

KINDS: tuple[Kind, ...] = get_args(Kind)

LEAST_FAILED, LEAST_CLEAN = 10, 30
"""Outcomes of each kind below which a model is not worth training, nor a comparison worth making."""

TREES = 100
LEAVES = 256
"""Most leaves of a tree of the forest: bounds its size, and a leaf holds some deployments even of a long history."""


class Challenger(NamedTuple):
    """A trained model."""

    kind: Kind
    estimator: Any
    base_rate: float
    """Share of failures in what it was trained with, in (0, 1): who must have a plain answer calls failing what is
    above."""


def fit(kind: Kind, columns: NDArray[np.float64], failed: NDArray[np.bool_]) -> Challenger:
    """Return a model of this kind, trained with rows of `encoding.COLUMNS`; the same input gives the same model.

    Raises ValueError when there are too few outcomes of a kind.
    """
    if not enough(failed):
        raise ValueError(f"{counted(failed)} are too few to train with: {LEAST_FAILED} and {LEAST_CLEAN} are needed")
    estimator = _forest() if kind == "random_forest" else _boosting()
    # what nobody has told yet is the same for all, so no tree asks for it; histograms cannot be made of nothing
    nowhere = np.isnan(columns).all(axis=0)
    estimator.fit(np.where(nowhere, 0.0, columns), failed)
    return Challenger(kind, estimator, float(failed.mean()))


def enough(failed: NDArray[np.bool_]) -> bool:
    """Return whether there are outcomes enough of both kinds."""
    return int(failed.sum()) >= LEAST_FAILED and int((~failed).sum()) >= LEAST_CLEAN


def counted(failed: NDArray[np.bool_]) -> str:
    """Return how many outcomes of each kind there are, in words.

    >>> counted(np.array([True, False, False]))
    '1 failures and 2 clean deployments'
    """
    return f"{int(failed.sum()):,} failures and {int((~failed).sum()):,} clean deployments"


def probabilities(challenger: Challenger, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of a failure for each row of columns, in [0, 1]."""
    if not len(columns):
        return np.zeros(0)
    answer: NDArray[np.float64] = challenger.estimator.predict_proba(columns)[:, 1]
    return answer


def encoded(deployments: Sequence[Values]) -> NDArray[np.float64]:
    """Return the columns of deployments, one row each, from their features as scored."""
    return np.array([encode(values) for values in deployments])


def _forest() -> RandomForestClassifier:
    return RandomForestClassifier(
        n_estimators=TREES, max_leaf_nodes=LEAVES, min_samples_leaf=5, max_features="sqrt", random_state=0, n_jobs=1
    )


def _boosting() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False, random_state=0
    )
