"""The model on real projects, whose data is not in this repository: REAL_DATA_DIR says where it is.

What docs/evaluation.md claims of the four recorded projects is held here, with the prior that never saw the project.
"""

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from scripts.ml.evaluation.contestants import Blend, Vigia
from scripts.ml.evaluation.figures import Figures, Interval, figures, paired_bootstrap
from scripts.ml.evaluation.playing import play
from scripts.ml.evaluation.project import read
from vigia.feeds.history import DATA
from vigia.models.risk.usual import ERROR_LEVEL

PROJECTS = Path(os.environ.get("REAL_DATA_DIR", "../shared/data")) / "jit"
NAMES = ("matplotlib", "sentry", "wagtail", "zulip")

recorded = pytest.mark.skipif(not PROJECTS.is_dir(), reason=f"no real data at {PROJECTS}: set REAL_DATA_DIR")


class Judged(NamedTuple):
    figures: Figures
    above_blend: Interval | None


@cache
def judged(path: Path) -> Judged:
    project = read(path)
    model = Vigia(project)
    played = play(project, model)
    blend = play(project, Blend(project))
    return Judged(
        figures(played, project.defective, np.ones(len(project.at), dtype=bool), model),
        paired_bootstrap(project.defective, played.score, blend.score),
    )


def recorded_project(name):
    return judged(PROJECTS / f"{name}.csv.gz")


@recorded
@pytest.mark.parametrize("name", NAMES)
def test_on_no_real_project_the_model_ranks_worse_than_the_blend(name):
    found, above = recorded_project(name)
    assert above.difference > -0.005
    assert found["brier"] < found["base_rate"] * (1 - found["base_rate"])


@recorded
@pytest.mark.parametrize("name", NAMES)
def test_on_every_real_project_probabilities_and_sets_mean_what_they_say(name):
    found, _ = recorded_project(name)
    assert found["ece"] <= 0.03
    assert abs(found["set_error"] - ERROR_LEVEL) <= 0.02


@recorded
def test_on_three_of_four_real_projects_the_model_is_above_the_blend_by_more_than_chance():
    assert sum(recorded_project(name).above_blend.low > 0.0 for name in NAMES) >= 3


@recorded
def test_on_real_projects_the_plain_answer_is_as_good_over_time_as_was_asked():
    assert np.mean([recorded_project(name).figures["g_mean_time_avg"] for name in NAMES]) > 0.717


def test_the_model_ranks_the_recorded_history():
    found, _ = judged(DATA)
    assert found["rows"] == 600
    assert (found["roc_auc"] or 0.0) > 0.7
