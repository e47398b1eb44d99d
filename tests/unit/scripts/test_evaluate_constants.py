"""`python -m scripts.ml.evaluate_constants`: the risk model's constants, judged where they had no say."""

import gzip
import json

import numpy as np
import pytest

from scripts.ml import evaluate_constants
from scripts.ml.evaluation.constants import GRID, case, choose, own, played
from scripts.ml.evaluation.contestants import Vigia
from scripts.ml.evaluation.figures import Figures, figures
from scripts.ml.evaluation.playing import play
from scripts.ml.evaluation.project import read
from vigia.feeds.history import DATA
from vigia.models.risk import usual

TIMED = {"steps_per_second"}


def without_time(found):
    return {figure: value for figure, value in found.items() if figure not in TIMED}


@pytest.fixture(scope="module")
def recorded():
    return case(read(DATA))


@pytest.fixture(scope="module")
def as_is(recorded):
    return without_time(played(recorded, {}))


def test_with_its_own_constants_it_is_the_model_itself(recorded, as_is):
    model = Vigia(recorded.project)
    everything = np.ones(len(recorded.project.at), dtype=bool)
    assert without_time(figures(play(recorded.project, model), recorded.project.defective, everything, model)) == as_is


@pytest.mark.parametrize("name", GRID)
def test_every_constant_that_is_tried_has_an_effect_and_is_put_back(recorded, as_is, name):
    before = own(name)
    assert without_time(played(recorded, {name: GRID[name].values[-1]})) != as_is
    assert own(name) == before
    assert before not in GRID[name].values


def test_constants_are_put_back_when_a_play_fails(recorded):
    before = usual.STEP
    with pytest.raises(TypeError):
        played(recorded._replace(noted=None), {"STEP": 3.0})
    assert before == usual.STEP


def test_a_project_has_no_say_in_what_is_chosen_for_it():
    brier = {0.1: (0.20, 0.20, 0.20), 0.05: (0.10, 0.21, 0.22), 0.2: (0.30, 0.18, 0.19)}
    measured: dict[float, dict[str, Figures]] = {
        value: {name: {"brier": each} for name, each in zip("abc", by_project, strict=True)}
        for value, by_project in (brier | dict.fromkeys((0.07, 0.14), (0.9, 0.9, 0.9))).items()
    }
    assert [choose("WEIGHT_SPREAD", "brier", measured, without=name) for name in "abc"] == [0.2, 0.05, 0.05]


def test_a_constant_stays_as_it_is_unless_another_value_is_better():
    values = (own("MEMORY"), *GRID["MEMORY"].values)
    same: dict[float, dict[str, Figures]] = {
        value: {name: {"g_mean_time_avg": 0.7} for name in "ab"} for value in values
    }
    assert choose("MEMORY", "brier", same, without="a") == own("MEMORY")


def test_the_command_reports_each_project_under_what_the_others_choose(tmp_path, capsys):
    out, other = tmp_path / "out.json", tmp_path / "other.csv"
    other.write_bytes(gzip.decompress(DATA.read_bytes()))
    assert evaluate_constants.main([str(DATA), str(other), "--constant", "MEMORY", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found["as_is"]) == {"sentry-2011", "other"}
    chosen = found["chosen_by"]["brier"]["chosen_without"]["other"]["MEMORY"]
    together = found["chosen_by"]["brier"]["together"]["other"]
    assert without_time(together) == without_time(found["measured"]["MEMORY"][f"{chosen:g}"]["other"])
    assert "MEMORY, 200, as the others choose it by g_mean_time_avg" in capsys.readouterr().out


def test_one_project_alone_has_nobody_to_choose_for_it(capsys):
    with pytest.raises(SystemExit) as ended:
        evaluate_constants.main([str(DATA)])
    assert ended.value.code == 2
    assert "two files or more" in capsys.readouterr().err
