"""How good a score could be that knew the future: `python -m scripts.ml.evaluate_hindsight FILE.csv.gz ...
[--json OUT]`.

Each fifth of a project's commits, drawn at random, is scored by models trained with the final labels of the other four
fifths, later commits among them. No model that scores commits as they come can know that, so this is what the columns
of the risk model give at best, or nearly; the online model is to be seen beside it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from scripts.letters.safe import one_line
from scripts.ml.evaluation.figures import roc_auc
from scripts.ml.evaluation.files import Unwritable, check_file, projects, words
from scripts.ml.evaluation.project import Project, Unreadable
from scripts.ml.fit_risk_prior import RIDGE, table

FOLDS = 5
FEWEST = 2 * FOLDS
"""Commits of each class, so that every fold has some."""

SEED = 0

MODELS: dict[str, Callable[[], HistGradientBoostingClassifier | LogisticRegression]] = {
    "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(
        max_iter=150,
        max_leaf_nodes=15,
        learning_rate=0.06,
        l2_regularization=5,
        min_samples_leaf=50,
        random_state=SEED,
    ),
    "logistic_regression": lambda: LogisticRegression(C=RIDGE, max_iter=500),
}
"""Usual constants, not searched for; the second is how the prior is fitted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the ROC-AUC of each model on each project; return 2 for files that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.ml.evaluate_hindsight", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.csv.gz")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    options = parser.parse_args(arguments)
    try:
        if options.json:
            check_file(options.json)
        given = projects(options.files)
        found = {name: hindsight(project) for name, project in given.items()}
    except (Unreadable, Unwritable) as error:
        print(words(error), file=sys.stderr)
        return 2
    mean = {model: float(np.mean([each[model] for each in found.values()])) for model in MODELS}
    print(f"{'ROC-AUC':24}" + "".join(f"{model:>24}" for model in MODELS))
    for name, each in (*found.items(), ("mean", mean)):
        print(f"{one_line(name):24}" + "".join(f"{area:>24.4f}" for area in each.values()))
    if options.json:
        options.json.write_text(json.dumps({"files": found, "mean": mean}, indent=1, allow_nan=False) + "\n")
    return 0


def hindsight(project: Project) -> dict[str, float]:
    """Return the ROC-AUC of each model, over all commits of a project; raises `Unreadable` with too few of a class."""
    rows = table(project)
    if min(int(rows.defective.sum()), int((~rows.defective).sum())) < FEWEST:
        raise Unreadable(f"{project.name}: has fewer than {FEWEST} commits of a class")
    # whichever a commit is in, its score is compared with all others', so models should differ little between folds
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    said = {
        model: cross_val_predict(make(), rows.scaled, rows.defective, cv=folds, method="predict_proba")[:, 1]
        for model, make in MODELS.items()
    }
    areas = {model: roc_auc(rows.defective, score) for model, score in said.items()}
    return {model: area for model, area in areas.items() if area is not None}


if __name__ == "__main__":
    sys.exit(main())
