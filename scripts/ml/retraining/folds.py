"""The order of time in training: a model is judged on deployments later than all that it was trained with.

The window expands: at each cut a model is trained with the deployments before it, by what was known of them at the cut
and no later, and judged on those between this cut and the next, by what is known of them now. Deployments that are too
young are in neither: failures become known sooner than that nothing failed, so of the youngest only failures are known,
and a model that is trained with them learns that what looks recent fails.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vigia.models.deployments.examples import Example
from vigia.models.risk.challengers import fitting

CUTS = (0.4, 0.55, 0.7, 0.85)
"""Shares of the deployments that lie before each cut."""


SETTLED = 0.9


class Fold(NamedTuple):
    """One cut: its time (epoch seconds), what is trained with, and what it is judged on."""

    cut: float
    before: Sequence[Example]
    later: Sequence[Example]


class Judged(NamedTuple):
    """Later deployments: whether each failed, what the challenger says of it, and what the online model had said."""

    failed: NDArray[np.bool_]
    ours: NDArray[np.float64]
    online: NDArray[np.float64]


def now(examples: Sequence[Example]) -> float:
    """Return when the latest outcome became known (epoch seconds): the present, as far as outcomes tell."""
    return max((each.known_at for each in examples if each.failed is not None), default=0.0)


def settled(examples: Sequence[Example], cut: float) -> float:
    """Return the time up to which deployments are old enough for either answer, as far as is known at `cut`.

    That long before `cut` as nine in ten clean answers took: the waiting time where they come by silence, minutes where
    a pipeline tells them.
    """
    took = [
        (each.clean_at if each.failed else each.known_at) - each.scored_at
        for each in examples
        if each.known(cut) is False
    ]
    return cut - float(np.quantile(took, SETTLED)) if took else -np.inf


def folds(examples: Sequence[Example]) -> Iterator[Fold]:
    """Yield the folds of examples that are in the order of their scores."""
    border = settled(examples, now(examples))
    old = [each for each in examples if each.scored_at <= border]
    if not old:
        return
    times = [old[int(share * len(old))].scored_at for share in CUTS]
    for cut, end in zip(times, [*times[1:], np.inf], strict=True):
        before = [each for each in old if each.scored_at < cut]
        yield Fold(cut, before, [each for each in old if cut <= each.scored_at < end])


def usable(examples: Sequence[Example], cut: float) -> list[tuple[Example, bool]]:
    """Return the examples to train with at `cut`, and whether each had failed as far as was known then."""
    border = settled(examples, cut)
    old = [each for each in examples if each.scored_at <= border]
    return [(each, failed) for each in old if (failed := each.known(cut)) is not None]


def train(kind: fitting.Kind, examples: Sequence[Example], cut: float) -> fitting.Challenger:
    """Return a model trained with what was known of `examples` at `cut`; raises ValueError when that is too little."""
    known = usable(examples, cut)
    failed = np.array([label for _, label in known], dtype=bool)
    if not fitting.enough(failed):
        raise ValueError(
            f"{fitting.counted(failed)} are too few, {fitting.LEAST_FAILED} and {fitting.LEAST_CLEAN} needed"
        )
    return fitting.fit(kind, fitting.encoded([each.values for each, _ in known]), failed)


def judge(kind: fitting.Kind, fold: Fold) -> Judged:
    """Return what a model of this fold says of later deployments; raises ValueError when it knows too little.

    Only those of which the outcome is known, and the online model of this kind of label had said something.
    """
    model = train(kind, fold.before, fold.cut)
    judged = [each for each in fold.later if each.failed is not None and each.online is not None]
    return Judged(
        np.array([each.failed for each in judged], dtype=bool),
        fitting.probabilities(model, fitting.encoded([each.values for each in judged])),
        np.array([each.online for each in judged], dtype=float),
    )


def together(parts: Sequence[Judged]) -> Judged:
    """Return the parts as one."""
    if not parts:
        return Judged(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))
    return Judged(*(np.concatenate(each) for each in zip(*parts, strict=True)))
