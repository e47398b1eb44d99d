"""Two pictures of a comparison, a panel a project: whether probabilities mean what they say, and how good over time."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.letters.safe import one_line
from scripts.ml.evaluation.figures import BINS, WARM_UP, WINDOW, Labels, Scores, roc_auc

COLOURS = {
    "vigia": "tab:blue",
    "blend": "tab:gray",
    "la": "tab:olive",
    "random_forest": "tab:green",
    "hist_gradient_boosting": "tab:orange",
    "clean": "tab:red",
}
NOT_DRAWN = "clean"
"""It says the same of all, and would be a point and a straight line."""


class Shown(NamedTuple):
    """What models said of a project: scores by model, and which of them are probabilities."""

    defective: Labels
    scores: Mapping[str, Scores]
    probabilistic: frozenset[str]


def draw(projects: Mapping[str, Shown], folder: Path) -> list[Path]:
    """Write the pictures as PNG into `folder`, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _written(projects, _reliability, "what was said, and what came", folder / "risk-reliability.png"),
        _written(projects, _over_time, f"ROC-AUC of {WINDOW:,} commits each", folder / "risk-over-time.png"),
    ]


def bins(label: Labels, score: Scores) -> tuple[list[float], list[float]]:
    """Return the mean of what was said and the share that proved defective, in bins of equal mass, the lowest first.

    >>> bins(np.array([False, True]), np.array([0.2, 0.9]))
    ([0.2, 0.9], [0.0, 1.0])
    """
    parts = [part for part in np.array_split(np.argsort(score, kind="stable"), BINS) if len(part)]
    return [float(score[part].mean()) for part in parts], [float(label[part].mean()) for part in parts]


def course(label: Labels, score: Scores) -> list[tuple[int, float]]:
    """Return the ROC-AUC of each whole window of commits, with the number of its last commit."""
    windows = ((end, roc_auc(label[end - WINDOW : end], score[end - WINDOW : end])) for end in _ends(len(label)))
    return [(end, area) for end, area in windows if area is not None]


def _ends(length: int) -> range:
    return range(WINDOW, length + 1, WINDOW)


def _reliability(axes: Axes, shown: Shown) -> None:
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.6, linestyle="dotted")
    for name, score in shown.scores.items():
        if name in shown.probabilistic and name != NOT_DRAWN and len(score) > WARM_UP:
            said, came = bins(shown.defective[WARM_UP:], score[WARM_UP:])
            axes.plot(said, came, marker="o", markersize=3, linewidth=1, label=name, color=COLOURS[name])
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _over_time(axes: Axes, shown: Shown) -> None:
    for name, score in shown.scores.items():
        points = course(shown.defective, score)
        if name != NOT_DRAWN and points:
            axes.plot(*zip(*points, strict=True), linewidth=1, label=name, color=COLOURS[name])
    axes.set_ylim(0.5, 1)


def _written(projects: Mapping[str, Shown], panel: Callable[[Axes, Shown], None], title: str, path: Path) -> Path:
    across = math.ceil(math.sqrt(len(projects)))
    down = math.ceil(len(projects) / across)
    figure = Figure(figsize=(5 * across, 3.6 * down), layout="constrained")
    figure.suptitle(title, fontsize=11)
    for axes, (name, shown) in zip(figure.subplots(down, across, squeeze=False).flat, projects.items(), strict=False):
        panel(axes, shown)
        # a file's name, which somebody may have given dollars or line breaks
        axes.set_title(one_line(name), fontsize=10, parse_math=False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=7)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    return path
