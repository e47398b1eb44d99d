"""The online model on real projects, whose data is not in this repository: REAL_DATA_DIR says where it is."""

import os
from pathlib import Path

import pytest

from scripts.ml.evaluate_risk import evaluate
from vigia.feeds.history import DATA

PROJECTS = Path(os.environ.get("REAL_DATA_DIR", "../shared/data")) / "jit"


@pytest.mark.skipif(not PROJECTS.is_dir(), reason=f"no real data at {PROJECTS}: set REAL_DATA_DIR")
@pytest.mark.parametrize(("project", "least"), [("wagtail", 0.775), ("zulip", 0.71)])
def test_the_model_ranks_a_real_projects_changes(project, least):
    result = evaluate(PROJECTS / f"{project}.csv.gz")
    assert result.roc_auc > least
    assert result.brier < result.brier_of_base_rate
    assert result.ece < 0.04


def test_the_model_ranks_the_recorded_history():
    result = evaluate(DATA)
    assert result.changes == 600
    assert result.roc_auc > 0.7
