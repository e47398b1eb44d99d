"""How good risk models are on recorded projects: `python -m scripts.ml.evaluate FILE.csv.gz ...`.

Files have the columns named in `vigia/feeds/data/README.md`. Each is played once in time order: a commit is scored
first; *defective* is learned when the defect was found, *clean* when 90 days passed without one (and *defective* later,
if it was found later). Figures are by the final label over all rows; beside them, without the rows that are all zero
(merges), and by the label as it was known after 90 days.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.ml.evaluation.contestants import CONTESTANTS
from scripts.ml.evaluation.figures import figures, paired_bootstrap
from scripts.ml.evaluation.pictures import Shown, draw
from scripts.ml.evaluation.playing import Played, play
from scripts.ml.evaluation.project import Project, Unreadable, read
from vigia.app.garbage import collect_rarely
from vigia.models.risk.prior import seen_in

BASELINE = "blend"
TARGETS = {"accuracy": 0.7, "precision": 0.6, "recall": 0.7, "f1": 0.6}
"""Reported as met or not, each to be exceeded."""

SHOWN = (
    "roc_auc",
    "g_mean",
    "g_mean_time_avg",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "brier",
    "ece",
    "set_decided",
    "set_error",
    "set_error_worst_window",
    "steps_per_second",
)


def evaluate(project: Project, names: Sequence[str]) -> tuple[dict[str, Any], Shown]:
    """Return the figures of the models on one project, and what they said, for pictures."""
    models: dict[str, Any] = {}
    said: dict[str, Played] = {}
    everything = np.ones(len(project.at), dtype=bool)
    probabilistic = set()
    for name in names:
        contestant = CONTESTANTS[name](project)
        if contestant.probabilistic:
            probabilistic.add(name)
        said[name] = play(project, contestant)
        whole = figures(said[name], project.defective, everything, contestant)
        models[name] = whole | {
            "targets_met": {figure: (whole[figure] or 0.0) > least for figure, least in TARGETS.items()},
            "without_empty_rows": figures(said[name], project.defective, ~project.empty, contestant),
            "label_known_after_90_days": figures(said[name], project.known, everything, contestant),
        }
    for name in names:
        if name != BASELINE and BASELINE in said:
            interval = paired_bootstrap(project.defective, said[name].score, said[BASELINE].score)
            models[name]["roc_auc_above_blend"] = interval and interval._asdict()
    shown = Shown(project.defective, {name: said[name].score for name in names}, frozenset(probabilistic))
    return {
        "rows": len(project.at),
        "base_rate": float(project.defective.mean()),
        "prior_without": seen_in(project.at),
        "models": models,
    }, shown


def means(files: list[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Return the mean of each figure over the files that have it."""
    models: dict[str, dict[str, float | None]] = {}
    for name in names:
        values = {figure: [each["models"][name][figure] for each in files] for figure in ("base_rate", *SHOWN)}
        known = {figure: [value for value in each if value is not None] for figure, each in values.items()}
        models[name] = {figure: float(np.mean(each)) if each else None for figure, each in known.items()}
    return {"models": models}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table a file, then the means; return 2 for a file that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m scripts.ml.evaluate", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.csv.gz")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write everything to this file")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="also draw reliability and course over time")
    parser.add_argument("--model", choices=list(CONTESTANTS), action="append", help="only this one; may be repeated")
    chosen = parser.parse_args(arguments)
    # as a worker does: steps/s are those of a worker
    collect_rarely()
    names = list(dict.fromkeys(chosen.model or CONTESTANTS))
    results: dict[str, Any] = {}
    pictures: dict[str, Shown] = {}
    for path in chosen.files:
        try:
            project = read(path)
        except Unreadable as error:
            print(error, file=sys.stderr)
            return 2
        if project.name in results:
            print(f"{path}: a project of the name {project.name} was given before", file=sys.stderr)
            return 2
        results[project.name], pictures[project.name] = evaluate(project, names)
        _show(f"{project.name}: {len(project.at)} commits", results[project.name]["models"])
    mean = means(list(results.values()), names)
    _show("mean", mean["models"])
    if chosen.json:
        chosen.json.write_text(json.dumps({"files": results, "mean": mean}, indent=1, allow_nan=False) + "\n")
    if chosen.pictures:
        for path in draw(pictures, chosen.pictures):
            print(path)
    return 0


def _show(title: str, models: dict[str, Any]) -> None:
    widths = {name: max(10, len(name) + 2) for name in models}
    print(f"\n{title}\n{'':24}" + "".join(f"{name:>{width}}" for name, width in widths.items()))
    for figure in ("base_rate", *SHOWN):
        values = ((each[figure], widths[name]) for name, each in models.items())
        print(
            f"{figure:24}" + "".join(f"{'-' if value is None else _short(value):>{width}}" for value, width in values)
        )
    for name, each in models.items():
        above = each.get("roc_auc_above_blend")
        if above:
            print(f"{name} above blend: {above['difference']:+.4f} ({above['low']:+.4f} to {above['high']:+.4f})")
        if "targets_met" in each:
            met = ", ".join(f"{figure} {'met' if yes else 'not met'}" for figure, yes in each["targets_met"].items())
            print(f"{name}: {met}")


def _short(value: float) -> str:
    return f"{value:.0f}" if value > 100.0 else f"{value:.4f}"  # noqa: PLR2004  # speeds, beside shares


if __name__ == "__main__":
    sys.exit(main())
