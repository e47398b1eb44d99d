"""How good the general anomaly score is: `python -m scripts.ml.evaluate_detectors FOLDER ... [--json OUT]
[--pictures FOLDER]`.

A folder with `windows.json` (series name -> list of [first, last]) is scored as the Numenta Anomaly Benchmark does it,
any other by the column `label` of its CSV files; each beside a windowed Gaussian in the same run.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.ml.detection.labels import WindowedSet, labels_file, read_labelled, read_windowed
from scripts.ml.detection.nab import PROFILES, nab_score
from scripts.ml.detection.pictures import draw
from scripts.ml.detection.points import point_figures
from scripts.ml.detection.scorers import SCORERS
from scripts.ml.detection.series import SeriesError

NO_TERMINAL = 160
"""Columns of the tables where there is no terminal: names of series are long."""


def main(arguments: list[str] | None = None) -> int:
    """Return 2 when a folder has no labelled series."""
    parser = argparse.ArgumentParser(prog="python -m scripts.ml.evaluate_detectors", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here, too")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw each series into this folder")
    options = parser.parse_args(arguments)
    report: dict[str, Any] = {}
    try:
        for folder in options.folders:
            evaluate = windowed if labels_file(folder) else labelled
            report[folder.name] = evaluate(folder, options.pictures)
    except (SeriesError, OSError) as error:
        print(f"evaluate_detectors: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def windowed(folder: Path, pictures: Path | None) -> dict[str, Any]:
    """Print and return the benchmark's scores of all series, and of each half of them (every other one)."""
    known = read_windowed(folder)
    scores = {name: {one.name: scorer(one) for one in known.series} for name, scorer in SCORERS.items()}
    sets = {"all": known.series, "first half": known.series[0::2], "second half": known.series[1::2]}
    table = Table(title=f"{folder.name}: {len(known.series)} series, NAB score")
    for column in ("series", "scorer", *PROFILES):
        table.add_column(column)
    figures: dict[str, Any] = {}
    for part, series in sets.items():
        if not any(known.windows[one.name] for one in series):
            continue
        for scorer in SCORERS:
            values = {p: nab_score(series, known.windows, scores[scorer], PROFILES[p]).score for p in PROFILES}
            figures.setdefault(part, {})[scorer] = values
            table.add_row(f"{part} ({len(series)})", scorer, *(f"{value:.1f}" for value in values.values()))
    _console().print(table)
    _draw(known, scores["vigia"], pictures)
    return figures


def labelled(folder: Path, pictures: Path | None) -> dict[str, Any]:
    """Print and return precision, recall and false alarms of each series."""
    series = read_labelled(folder)
    table = Table(title=f"{folder.name}: {len(series)} series, by row")
    for column in ("series", "scorer", "AUC-PR", "precision", "recall", "false alarms a day"):
        table.add_column(column)
    figures: dict[str, Any] = {}
    scores: dict[str, list[float]] = {}
    for one in series:
        for scorer, score in SCORERS.items():
            scored = score(one)
            if scorer == "vigia":
                scores[one.name] = scored
            found = point_figures(one, scored)
            figures.setdefault(one.name, {})[scorer] = found._asdict()
            table.add_row(one.name, scorer, *("-" if value is None else f"{value:.3f}" for value in found))
    judged = [each for each in figures.values() if each["vigia"]["auc_pr"] is not None]
    better = sum(each["vigia"]["auc_pr"] > each["windowed Gaussian"]["auc_pr"] for each in judged)
    table.caption = f"AUC-PR above the windowed Gaussian's on {better} of {len(judged)} series with an anomaly"
    _console().print(table)
    _draw(WindowedSet(series, {}), scores, pictures)
    return figures


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else NO_TERMINAL, highlight=False)


def _draw(known: WindowedSet, scores: dict[str, list[float]], pictures: Path | None) -> None:
    if pictures is not None:
        for one in known.series:
            draw(one, scores[one.name], known.windows.get(one.name, ()), pictures)


if __name__ == "__main__":
    sys.exit(main())
