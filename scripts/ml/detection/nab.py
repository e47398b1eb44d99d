"""The score of the Numenta Anomaly Benchmark (Lavin, Ahmad: "Evaluating real-time anomaly detection algorithms - the
Numenta Anomaly Benchmark", ICMLA 2015), for scores of one detector over a set of series.

A row whose score reaches the threshold is a detection. The best detection in a labelled window counts, the more the
earlier it is; each detection outside costs, the more the farther it is behind a window; a window without one costs its
weight. The first 15 % of a series (at most 750 rows) are probation and count nothing. The threshold, one for all
series, is the one with the best sum; 0 is what a detector gets that never detects, 100 a perfect one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import groupby
from math import exp
from typing import NamedTuple

from scripts.ml.detection.series import Series

PROBATION_SHARE = 0.15
PROBATION_ROWS = 750

Window = tuple[float, float]
"""First and last time of a labelled anomaly, in epoch seconds."""


class Profile(NamedTuple):
    """What hits, missed windows and false alarms weigh."""

    hit: float
    miss: float
    false_alarm: float


PROFILES = {
    "standard": Profile(1.0, 1.0, 0.11),
    "low FP": Profile(1.0, 1.0, 0.22),
    "low FN": Profile(1.0, 2.0, 0.11),
}


class NabScore(NamedTuple):
    """The score (100 is perfect, 0 is silence), and the threshold that gave it."""

    score: float
    threshold: float


class _Row(NamedTuple):
    score: float
    worth: float
    window: tuple[int, int] | None


def nab_score(
    series: Sequence[Series],
    windows: Mapping[str, Sequence[Window]],
    scores: Mapping[str, Sequence[float]],
    profile: Profile,
) -> NabScore:
    """Return the score of `scores` (by series name) under `profile`, at the best threshold."""
    rows: list[_Row] = []
    missed = 0.0
    for number, one in enumerate(series):
        labelled = windows[one.name]
        missed -= profile.miss * len(labelled)
        worth, inside = worths(one.times, labelled, profile)
        probation = min(int(PROBATION_SHARE * len(worth)), PROBATION_ROWS)
        rows += [
            _Row(scores[one.name][row], worth[row], None if inside[row] is None else (number, inside[row] or 0))
            for row in range(probation, len(worth))
        ]
    perfect = profile.hit * sum(len(windows[one.name]) for one in series)
    best, threshold, total = missed, 1.0, missed
    found: dict[tuple[int, int], float] = {}
    rows.sort(key=lambda row: -row.score)
    for level, group in groupby(rows, key=lambda row: row.score):
        for row in group:
            if row.window is None:
                total += row.worth
            elif row.worth > found.get(row.window, -profile.miss):
                total += row.worth - found.get(row.window, -profile.miss)
                found[row.window] = row.worth
        if total > best:
            best, threshold = total, level
    return NabScore(100 * (best - missed) / (perfect - missed), threshold)


def worths(times: Sequence[float], windows: Sequence[Window], profile: Profile) -> tuple[list[float], list[int | None]]:
    """Return for each row what a detection there is worth, and the number of the window that it lies in."""
    spans = sorted((bisect_left(times, first), bisect_right(times, last) - 1) for first, last in windows)
    worth: list[float] = []
    inside: list[int | None] = []
    ahead = 0
    for row in range(len(times)):
        while ahead < len(spans) and row > spans[ahead][1]:
            ahead += 1
        if ahead < len(spans) and row >= spans[ahead][0]:
            first, last = spans[ahead]
            position = -(last - row + 1) / (last - first + 1)
            worth.append(profile.hit * _sigmoid(position) / _sigmoid(-1.0))
            inside.append(ahead)
        else:
            position = float("inf")
            if ahead:
                first, last = spans[ahead - 1]
                position = (row - last) / max(1, last - first)
            worth.append(profile.false_alarm * _sigmoid(position))
            inside.append(None)
    return worth, inside


def _sigmoid(position: float) -> float:
    """1 far before 0, -1 far behind; -1 from three window widths on."""
    return -1.0 if position > 3 else 2 / (1 + exp(5 * position)) - 1  # noqa: PLR2004 - the benchmark's own numbers
