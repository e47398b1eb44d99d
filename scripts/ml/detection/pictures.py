"""A picture of a series: its values, what is labelled, and the scores, on one axis of time."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure

from scripts.ml.detection.nab import Window
from scripts.ml.detection.series import Series


def draw(series: Series, scores: Sequence[float], windows: Sequence[Window], folder: Path) -> Path:
    """Write the picture as PNG into `folder` and return its path."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    times = [datetime.fromtimestamp(at, UTC) for at in series.times]
    upper.plot(times, series.values, linewidth=0.6, color="tab:blue")
    upper.set_title(series.name, fontsize=10)
    upper.set_ylabel("value")
    lower.plot(times, scores, linewidth=0.6, color="tab:red")
    lower.set_ylabel("anomaly score")
    lower.set_ylim(0, 1)
    for first, last in windows or labelled_runs(series):
        for axes in (upper, lower):
            axes.axvspan(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC), alpha=0.2, color="gold")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^A-Za-z0-9]+", "-", series.name.removesuffix(".csv")).strip("-").lower() + ".png")
    figure.savefig(path, dpi=80, metadata={"Software": None})
    return path


def labelled_runs(series: Series) -> list[Window]:
    """Return the first and last time of each run of labelled rows."""
    runs: list[Window] = []
    running = False
    for at, label in zip(series.times, series.labels, strict=False):
        if label:
            first = runs.pop()[0] if running else at
            runs.append((first, at))
        running = label
    return runs
