"""Whether the risk model's constants are good on a project that had no say: `python -m scripts.ml.evaluate_constants
FILE.csv.gz FILE.csv.gz ... [--json OUT] [--jobs N]`.

Each constant is tried with a few values, the others as they are (`GRID` in `scripts/ml/evaluation/constants.py`). For
each project the value is taken that is best on all the others, and the project is reported under it beside the
constants as they are; at last under all values taken together. Four projects take about six minutes of one core.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from scripts.letters.safe import one_line
from scripts.ml.evaluation.constants import CRITERIA, GRID, case, choose, own, played
from scripts.ml.evaluation.figures import Figures
from scripts.ml.evaluation.files import Unwritable, check_file, projects, words
from scripts.ml.evaluation.project import Project, Unreadable

SHOWN = ("roc_auc", "brier", "ece", "g_mean_time_avg", "set_error")
FEWEST = 2
"""Projects: one to report, and one to choose on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table a constant, then a table for all together; return 2 for files that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.ml.evaluate_constants", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.csv.gz")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write everything to this file")
    parser.add_argument("--constant", choices=list(GRID), action="append", help="only this one; may be repeated")
    parser.add_argument("--jobs", type=int, metavar="N", default=1, help="processes that play; default: 1")
    options = parser.parse_args(arguments)
    if len(options.files) < FEWEST:
        parser.error("needs two files or more: one to report, the others to choose on")
    try:
        if options.json:
            check_file(options.json)
        given = projects(options.files)
    except (Unreadable, Unwritable) as error:
        print(words(error), file=sys.stderr)
        return 2
    with ProcessPoolExecutor(options.jobs) as pool:
        found = compare(pool, given, list(dict.fromkeys(options.constant or GRID)))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    return 0


def compare(pool: Executor, given: Mapping[str, Project], names: Sequence[str]) -> dict[str, Any]:
    """Play all projects under all values, print and return what was chosen for each by the others, and its figures."""
    cases = dict(zip(given, pool.map(case, given.values()), strict=True))

    def under(chosen: Mapping[str, Mapping[str, float]]) -> dict[str, Figures]:
        return dict(zip(cases, pool.map(played, cases.values(), [chosen[name] for name in cases]), strict=True))

    as_is = under({name: {} for name in cases})
    measured = {
        constant: {own(constant): as_is}
        | {value: under({name: {constant: value} for name in cases}) for value in GRID[constant].values}
        for constant in names
    }
    by_criterion = {}
    for criterion in CRITERIA:
        chosen = {
            name: {constant: choose(constant, criterion, measured[constant], without=name) for constant in names}
            for name in cases
        }
        for constant in names:
            values = {name: chosen[name][constant] for name in cases}
            _show(
                f"{constant}, {own(constant):g}, as the others choose it by {GRID[constant].figure or criterion}",
                as_is,
                {name: measured[constant][value][name] for name, value in values.items()},
                {name: f"{value:g}" for name, value in values.items()},
            )
        together = under(chosen)
        _show(f"all of these, by {criterion}", as_is, together, dict.fromkeys(cases, "all"))
        by_criterion[criterion] = {"chosen_without": chosen, "together": together}
    return {
        "as_is": as_is,
        "measured": {
            constant: {f"{value:g}": each for value, each in values.items()} for constant, values in measured.items()
        },
        "chosen_by": by_criterion,
    }


def _show(title: str, as_is: Mapping[str, Figures], under: Mapping[str, Figures], values: Mapping[str, str]) -> None:
    """Print each project's figures under a choice, and how far they are from those under the constants as they are."""
    print(f"\n{title}\n{'':16}{'chosen':>8}" + "".join(f"{figure:>24}" for figure in SHOWN))
    for name, figures in under.items():
        print(
            f"{one_line(name):16}{values[name]:>8}"
            + "".join(f"{_beside(figures[each], as_is[name][each]):>24}" for each in SHOWN),
            flush=True,
        )


def _beside(value: float | None, usual: float | None) -> str:
    return "-" if value is None or usual is None else f"{value:.4f} ({value - usual:+.4f})"


if __name__ == "__main__":
    sys.exit(main())
