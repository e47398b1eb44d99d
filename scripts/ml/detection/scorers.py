"""What is compared: Vigia's anomaly score, and the windowed Gaussian that it has to beat."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from math import erfc, fsum, isfinite, sqrt

from scripts.ml.detection.series import Series
from vigia.models.detectors.anomaly.scorer import AnomalyState, score

Scorer = Callable[[Series], list[float]]
"""A score in [0, 1] for each row, from this and earlier rows alone."""

WINDOW = 6_400
STEP = 100
"""Values in the Gaussian's window, and by how many at once it moves on: those of the benchmark."""


def vigia(series: Series) -> list[float]:
    """The score of `vigia.models.detectors.anomaly`."""
    state = AnomalyState()
    return [score(state, at, value) for at, value in zip(series.times, series.values, strict=True)]


def windowed_gaussian(series: Series) -> list[float]:
    """1 minus the normal tail probability of a value under the mean and deviation of a sliding window, as the Numenta
    Anomaly Benchmark's baseline of that name has it (Lavin, Ahmad: "Evaluating real-time anomaly detection algorithms",
    ICMLA 2015). A missing value scores 0.
    """
    window: deque[float] = deque()
    scores: list[float] = []
    mean, deviation, total, squares, waiting = 0.0, 1.0, 0.0, 0.0, 0
    for value in series.values:
        if not isfinite(value):
            scores.append(0.0)
            continue
        scores.append(1 - 0.5 * erfc(abs(value - mean) / deviation / sqrt(2)) if window else 0.0)
        window.append(value)
        if len(window) <= WINDOW:
            total += value
            squares += value * value
        elif (waiting := waiting + 1) == STEP:
            for _ in range(STEP):
                window.popleft()
            waiting, total = 0, fsum(window)
            squares = fsum(one * one for one in window)
        else:
            continue
        count = min(len(window), WINDOW)
        mean = total / count
        deviation = sqrt(max(0.0, squares / count - mean * mean))
        if deviation <= abs(mean) * 1e-7:  # too close for the difference of two large numbers
            kept = list(islice(window, count))
            deviation = sqrt(fsum((one - mean) ** 2 for one in kept) / count)
        deviation = deviation or 1e-6
    return scores


SCORERS: dict[str, Scorer] = {"vigia": vigia, "windowed Gaussian": windowed_gaussian}
