"""The figures of one model on one project. NaN never appears: a figure that the rows cannot give is None."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.ml.evaluation.playing import Contestant, Played

WARM_UP = 2_000
"""Commits after which calibration is judged, counted over the whole project, whichever rows are judged."""

BINS = 10
FADING = 0.99
WINDOW = 1_000
"""Commits over which the error of decision sets is watched."""

RESAMPLES = 1_000

SET_FIGURES = (
    "set_decided",
    "set_error",
    "set_error_worst_window",
    "set_lone_ok",
    "set_lone_ok_wrong",
    "set_lone_fail",
    "set_lone_fail_wrong",
)
"""Of the decision sets; "lone" are those with one answer: the share of commits that are given it, and the share of
those for which it is wrong.
"""

Labels = NDArray[np.bool_]
Scores = NDArray[np.float64]
Figures = dict[str, float | None]


class Interval(NamedTuple):
    """A difference, and its 95 % interval."""

    difference: float
    low: float
    high: float


def figures(played: Played, defective: Labels, rows: Labels, contestant: Contestant) -> Figures:
    """Return all figures over `rows`, judged by `defective`."""
    label, score, called = defective[rows], played.score[rows], played.called[rows]
    hits = int((called & label).sum())
    recall = _share(hits, int(label.sum()))
    specificity = _share(int((~called & ~label).sum()), int((~label).sum()))
    precision = _share(hits, int(called.sum()))
    late = rows & (np.arange(len(rows)) >= WARM_UP)
    result: Figures = {
        "rows": float(len(label)),
        "base_rate": _share(int(label.sum()), len(label)),
        "roc_auc": roc_auc(label, score),
        "g_mean": None if recall is None or specificity is None else math.sqrt(recall * specificity),
        "g_mean_time_avg": g_mean_over_time(label, called),
        "accuracy": _share(int((called == label).sum()), len(label)),
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * hits, int(called.sum() + label.sum())),
        "brier": float(np.mean((score - label) ** 2)) if contestant.probabilistic and len(label) else None,
        "ece": calibration_error(defective[late], played.score[late]) if contestant.probabilistic else None,
        "steps_per_second": len(played.score) / played.seconds if played.seconds > 0.0 else None,
    }
    return result | _sets([played.excluded[each] for each in np.flatnonzero(rows)], label, contestant.level)


def roc_auc(label: Labels, score: Scores) -> float | None:
    """Return the probability that a defective commit has a higher score than a clean one, ties counting half.

    >>> roc_auc(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
    0.75
    """
    positives = int(label.sum())
    if positives in (0, len(label)):
        return None
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[label].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives)))


def g_mean_over_time(label: Labels, called: Labels) -> float | None:
    """Return the mean over time of the geometric mean of both recalls, each faded by `FADING` a commit of its class.

    It is counted from the first commit at which both classes have been seen.
    """
    right, all_of = [0.0, 0.0], [0.0, 0.0]
    total, counted = 0.0, 0
    for truth, said in zip(label.tolist(), called.tolist(), strict=True):
        right[truth] = FADING * right[truth] + (truth == said)
        all_of[truth] = FADING * all_of[truth] + 1.0
        if all_of[0] and all_of[1]:
            total += math.sqrt(right[0] / all_of[0] * right[1] / all_of[1])
            counted += 1
    return total / counted if counted else None


def calibration_error(label: Labels, score: Scores) -> float | None:
    """Return the mean distance between what was said and what came, over bins of equal mass.

    >>> round(calibration_error(np.array([True, False]), np.array([0.9, 0.2])), 6)
    0.15
    """
    if not len(score):
        return None
    bins = np.array_split(np.argsort(score, kind="stable"), BINS)
    distances = [abs(float(score[each].mean() - label[each].mean())) * len(each) for each in bins if len(each)]
    return sum(distances) / len(score)


def paired_bootstrap(label: Labels, ours: Scores, theirs: Scores, seed: int = 5) -> Interval | None:
    """Return how much larger the ROC-AUC of `ours` is, with the 95 % interval over resampled commits."""
    whole = roc_auc(label, ours), roc_auc(label, theirs)
    if whole[0] is None or whole[1] is None:
        return None
    random = np.random.default_rng(seed)
    orders = [np.argsort(score, kind="stable") for score in (ours, theirs)]
    ties = [
        np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)
        for score, order in zip((ours, theirs), orders, strict=True)
    ]
    differences = []
    for _ in range(RESAMPLES):
        weight = np.bincount(random.integers(0, len(label), len(label)), minlength=len(label))
        if not (weight * label).any() or not (weight * ~label).any():
            continue  # of a short file some samples have one class only, and no order
        areas = []
        for order, first in zip(orders, ties, strict=True):
            bad = np.add.reduceat((weight * label)[order], first)
            good = np.add.reduceat((weight * ~label)[order], first)
            below = np.cumsum(good) - good
            areas.append(float((bad * (below + good / 2)).sum() / (bad.sum() * good.sum())))
        differences.append(areas[0] - areas[1])
    if len(differences) < RESAMPLES / 2:
        return None
    low, high = np.quantile(differences, [0.025, 0.975])
    return Interval(whole[0] - whole[1], float(low), float(high))


def _sets(excluded: list[bool | None], label: Labels, level: float | None) -> Figures:
    """Return how often sets miss the truth, and how often a single answer that somebody is given is wrong."""
    if level is None or not excluded:
        return dict.fromkeys(("set_error_level", *SET_FIGURES)) | {"set_error_level": level}
    wrong = np.array([out is not None and out == truth for out, truth in zip(excluded, label.tolist(), strict=True)])
    lone_ok, lone_fail = (np.array([out is answer for out in excluded]) for answer in (True, False))
    sums = np.concatenate([[0], np.cumsum(wrong)])
    windows = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
    return {
        "set_error_level": level,
        "set_decided": sum(out is not None for out in excluded) / len(excluded),
        "set_error": float(wrong.mean()),
        "set_error_worst_window": float(windows[np.argmax(np.abs(windows - level))]) if len(windows) else None,
        "set_lone_ok": float(lone_ok.mean()),
        "set_lone_ok_wrong": _share(int(wrong[lone_ok].sum()), int(lone_ok.sum())),
        "set_lone_fail": float(lone_fail.mean()),
        "set_lone_fail_wrong": _share(int(wrong[lone_fail].sum()), int(lone_fail.sum())),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
