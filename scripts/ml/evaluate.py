"""How good risk models are on recorded projects: `python -m scripts.ml.evaluate FILE.csv.gz ...`.

Files have the columns named in `vigia/feeds/data/README.md`. Each is played once in time order: a commit is scored
first; *defective* is learned when the defect was found, *clean* when 90 days passed without one (and *defective* later,
if it was found later). Figures are by the final label over all rows; beside them, without the rows that are all zero
(merges), and by the label as it was known after 90 days. Rows that contradict themselves are used, counted and named.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.letters.safe import one_line
from scripts.ml.evaluation.contestants import CONTESTANTS
from scripts.ml.evaluation.figures import SET_FIGURES, figures, paired_bootstrap
from scripts.ml.evaluation.files import Unwritable, check_file, check_folder, projects, words
from scripts.ml.evaluation.pictures import Shown, draw
from scripts.ml.evaluation.playing import Played, play
from scripts.ml.evaluation.project import ODD, Project, Unreadable
from scripts.ml.evaluation.targets import met, naive
from vigia.app.garbage import collect_rarely
from vigia.models.risk.prior import seen_in

BASELINE = "blend"

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
    *SET_FIGURES,
    "steps_per_second",
)

PARTS = ("without_empty_rows", "label_known_after_90_days")
"""The same figures, judged otherwise."""


def evaluate(project: Project, names: Sequence[str]) -> tuple[dict[str, Any], Shown]:
    """Return the figures of the models on one project, and what they said, for pictures."""
    models: dict[str, Any] = {}
    classes = int(project.defective.sum()), int((~project.defective).sum())
    said: dict[str, Played] = {}
    everything = np.ones(len(project.at), dtype=bool)
    probabilistic = set()
    for name in names:
        contestant = CONTESTANTS[name](project)
        if contestant.probabilistic:
            probabilistic.add(name)
        said[name] = play(project, contestant)
        whole = figures(said[name], project.defective, everything, contestant)
        targets, unsaid = met(whole, *classes)
        models[name] = whole | {
            "targets_met": targets,
            "targets_unsaid": unsaid,
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
        "naive": naive(*classes),
        "odd_rows": dict(project.odd),
        "models": models,
    }, shown


def means(files: list[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Return the mean of each figure over the files that have it, and so of its parts."""
    return {
        "models": {
            name: _mean([each["models"][name] for each in files])
            | {part: _mean([each["models"][name][part] for each in files]) for part in PARTS}
            for name in names
        }
    }


def _mean(files: list[dict[str, Any]]) -> dict[str, Any]:
    values = {figure: [each[figure] for each in files if each[figure] is not None] for figure in ("base_rate", *SHOWN)}
    return {figure: float(np.mean(each)) if each else None for figure, each in values.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table a file, then the means; return 2 for a file that cannot be used, or written."""
    parser = argparse.ArgumentParser(prog="python -m scripts.ml.evaluate", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.csv.gz")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write everything to this file")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="also draw reliability and course over time")
    parser.add_argument("--model", choices=list(CONTESTANTS), action="append", help="only this one; may be repeated")
    chosen = parser.parse_args(arguments)
    # as a worker does: steps/s are those of a worker
    collect_rarely()
    names = list(dict.fromkeys(chosen.model or CONTESTANTS))
    try:
        if chosen.json:
            check_file(chosen.json)
        if chosen.pictures:
            check_folder(chosen.pictures)
        given = projects(chosen.files)
    except (Unreadable, Unwritable) as error:
        print(words(error), file=sys.stderr)
        return 2
    results: dict[str, Any] = {}
    pictures: dict[str, Shown] = {}
    for name, project in given.items():
        results[name], pictures[name] = evaluate(project, names)
        _show(f"{name}: {len(project.at)} commits", results[name]["models"])
        _show_rows(project, results[name]["naive"])
    mean = means(list(results.values()), names)
    _show("mean", mean["models"])
    if chosen.json:
        chosen.json.write_text(json.dumps({"files": results, "mean": mean}, indent=1, allow_nan=False) + "\n")
    if chosen.pictures:
        for path in draw(pictures, chosen.pictures):
            print(words(path))
    return 0


def _show(title: str, models: dict[str, Any]) -> None:
    widths = {name: max(10, len(name) + 2) for name in models}
    print(f"\n{one_line(title)}\n{'':24}" + "".join(f"{name:>{width}}" for name, width in widths.items()))
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
            print(f"{name}: " + "; ".join(_target(figure, each) for figure in each["targets_met"]))


def _target(figure: str, model: dict[str, Any]) -> str:
    met_or_not = model["targets_met"][figure]
    if met_or_not is None:
        return f"{figure} cannot be said ({model['targets_unsaid'][figure]})"
    return f"{figure} {'met' if met_or_not else 'not met'}"


def _show_rows(project: Project, naive_answer: dict[str, Any]) -> None:
    """Print what the rows alone say: how good no model at all is, and what is odd."""
    print(f'always "{naive_answer["answer"]}": accuracy {naive_answer["accuracy"]:.4f}')
    for key, count in project.odd.items():
        if count:
            print(f"odd: {count} {ODD[key]}")


def _short(value: float) -> str:
    return f"{value:.0f}" if value > 100.0 else f"{value:.4f}"  # noqa: PLR2004  # speeds, beside shares


if __name__ == "__main__":
    sys.exit(main())
