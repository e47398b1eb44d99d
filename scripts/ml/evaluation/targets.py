"""Which targets a model meets on a project, and where the project cannot say.

A figure that a thoughtless answer reaches as well, the larger class for every commit, proves nothing of a model; nor
does one over a handful of commits.
"""

from typing import Any

from scripts.ml.evaluation.figures import Figures

TARGETS = {"accuracy": 0.7, "precision": 0.6, "recall": 0.7, "f1": 0.6}
"""Each to be exceeded."""

ENOUGH = 50
"""Commits of each class: then a share of .7 is known within .13."""


def naive(defective: int, clean: int) -> dict[str, Any]:
    """Return the figures of always giving the answer that is right more often.

    >>> naive(1, 3)
    {'answer': 'clean', 'accuracy': 0.75, 'precision': None, 'recall': 0.0, 'f1': 0.0}
    >>> naive(3, 1)
    {'answer': 'defective', 'accuracy': 0.75, 'precision': 0.75, 'recall': 1.0, 'f1': 0.8571428571428571}
    """
    total = defective + clean
    if defective > clean:
        share = defective / total
        return {
            "answer": "defective",
            "accuracy": share,
            "precision": share,
            "recall": 1.0,
            "f1": 2.0 * defective / (total + defective),
        }
    nothing = 0.0 if defective else None
    return {"answer": "clean", "accuracy": clean / total, "precision": None, "recall": nothing, "f1": nothing}


def met(figures: Figures, defective: int, clean: int) -> tuple[dict[str, bool | None], dict[str, str]]:
    """Return whether each target is met, None where that cannot be said, and for those why."""
    thoughtless = naive(defective, clean)
    targets: dict[str, bool | None] = {}
    why: dict[str, str] = {}
    for name, least in TARGETS.items():
        figure, floor = figures[name], thoughtless[name]
        targets[name] = None
        if figure is None:
            why[name] = "the figure is undefined"
        elif min(defective, clean) < ENOUGH:
            why[name] = f"{defective} defective and {clean} clean commits are too few"
        elif figure > least and floor is not None and floor >= figure:
            why[name] = f'always "{thoughtless["answer"]}" has {floor:.2f}'
        else:
            targets[name] = figure > least
    return targets, why
