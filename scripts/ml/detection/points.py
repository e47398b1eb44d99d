"""Precision and recall for series with a label a row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from scripts.ml.detection.series import Series

DAY = 86_400.0


class PointFigures(NamedTuple):
    """How one scorer did on one series; `auc_pr` is the average precision, None where no row is labelled an anomaly.

    Precision, recall and false alarms (runs of rows at or above the threshold that touch no labelled row) a day are at
    the threshold with the best F1: what could be had, not what a user would have.
    """

    auc_pr: float | None
    precision: float | None
    recall: float | None
    false_alarms_per_day: float | None


def point_figures(series: Series, scores: Sequence[float]) -> PointFigures:
    """Return the figures of `scores` for `series`; rows without a value are left out."""
    present = ~np.isnan(np.array(series.values))
    label, score = np.array(series.labels)[present], np.array(scores)[present]
    if not label.any():
        return PointFigures(None, None, None, None)
    precision, recall, thresholds = precision_recall_curve(label, score)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    days = (series.times[-1] - series.times[0]) / DAY
    alarms = false_alarms(label.tolist(), (score >= thresholds[best]).tolist())
    return PointFigures(
        float(average_precision_score(label, score)), float(precision[best]), float(recall[best]), alarms / days
    )


def false_alarms(label: Sequence[bool], raised: Sequence[bool]) -> int:
    """Return how many runs of raised rows touch no labelled row.

    >>> false_alarms([False, False, True, False], [True, False, True, True])
    1
    """
    alarms, running, touched = 0, False, False
    for truth, on in zip([*label, False], [*raised, False], strict=True):
        if on:
            touched = (running and touched) or truth
        elif running:
            alarms += not touched
        running = on
    return alarms
