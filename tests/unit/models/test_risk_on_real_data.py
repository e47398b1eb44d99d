"""The model on real projects, whose data is not in this repository: REAL_DATA_DIR says where it is."""

import os
from pathlib import Path

import numpy as np
import pytest

from scripts.ml.evaluation.contestants import Vigia
from scripts.ml.evaluation.figures import figures
from scripts.ml.evaluation.playing import play
from scripts.ml.evaluation.project import read
from vigia.feeds.history import DATA

PROJECTS = Path(os.environ.get("REAL_DATA_DIR", "../shared/data")) / "jit"


def judged(path):
    project = read(path)
    model = Vigia(project)
    rows = np.ones(len(project.at), dtype=bool)
    return figures(play(project, model), project.defective, rows, model)


@pytest.mark.skipif(not PROJECTS.is_dir(), reason=f"no real data at {PROJECTS}: set REAL_DATA_DIR")
@pytest.mark.parametrize(("project", "least"), [("wagtail", 0.81), ("zulip", 0.73)])
def test_the_model_ranks_a_real_projects_changes(project, least):
    result = judged(PROJECTS / f"{project}.csv.gz")
    assert result["roc_auc"] > least
    assert result["brier"] < result["base_rate"] * (1 - result["base_rate"])
    assert result["ece"] < 0.04


def test_the_model_ranks_the_recorded_history():
    result = judged(DATA)
    assert result["rows"] == 600
    assert result["roc_auc"] > 0.7
