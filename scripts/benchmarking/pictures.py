"""Pictures of the contest: one bar a contender, with the spread of its runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from scripts.benchmarking.contest.contest import rate, speeds


def draw_contest(rows: Sequence[Mapping[str, Any]], points: int, path: Path) -> None:
    """Write the rows with `points` in a message as SVG: samples/s, median and spread."""
    chosen = sorted((row for row in rows if row["points"] == points and row["runs"]), key=rate)
    figure = Figure(figsize=(9, 0.45 * len(chosen) + 1.2), layout="constrained")
    axes = figure.subplots()
    medians = [rate(row) for row in chosen]
    found = [speeds(row) for row in chosen]
    spread = [
        [middle - min(each) for middle, each in zip(medians, found, strict=True)],
        [max(each) - middle for middle, each in zip(medians, found, strict=True)],
    ]
    colours = ["tab:blue" if row["contender"].startswith("vigia") else "tab:gray" for row in chosen]
    axes.barh([row["what"] for row in chosen], medians, xerr=spread, color=colours, ecolor="black")
    axes.set_xlabel(f"samples/s, {points} in a message")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="x", alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    # the same figures give the same bytes: matplotlib makes ids from a salt that is new each time
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, metadata={"Date": None})
