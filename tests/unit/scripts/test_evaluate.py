"""`python -m scripts.ml.evaluate`: its figures, its protocol, and what it says of files that it cannot use."""

import gzip
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from scripts.ml.evaluate import main
from scripts.ml.evaluation import figures, pictures
from scripts.ml.evaluation.contestants import CONTESTANTS, Vigia
from scripts.ml.evaluation.playing import AtOnce, Said, play
from scripts.ml.evaluation.project import WAITING_TIME, read
from vigia.feeds.history import DATA

PROJECTS = Path(os.environ.get("REAL_DATA_DIR", "../shared/data")) / "jit"
HEADER = "commit_ts,defect_found_ts,defective,fix,ns,nd,nf,entropy,la,ld,lt,ndev,age,nuc,exp,rexp,sexp"
DAY = 86_400


def written(path, *rows):
    with gzip.open(path, "wt") as file:
        file.write("\n".join([HEADER, *rows]) + "\n")
    return path


def row(at, found="", defective=0, la=10):
    return f"{at},{found},{defective},0,1,1,1,0.5,{la},2,100,2,3,4,50,10,20"


class Diary(AtOnce):
    """Notes what it is asked and taught."""

    probabilistic = False
    level: float | None = None

    def __init__(self):
        self.notes = []

    def score(self, number, values):
        self.notes.append(("score", number))
        return Said(0.0, called=False)

    def learn(self, number, *, defective):
        self.notes.append(("learn", number, defective))


def test_labels_are_taught_when_they_are_known_and_never_before(tmp_path):
    late = 100 * DAY
    rows = [row(0, late, 1), row(1, 1, 1), row(2 * DAY), row(91 * DAY), row(101 * DAY), row(102 * DAY, 5, 1)]
    diary = Diary()
    play(read(written(tmp_path / "a.csv.gz", *rows)), diary)
    assert diary.notes == [
        ("score", 0),
        ("score", 1),
        ("learn", 1, True),  # known at once, but only after its own score
        ("score", 2),
        ("learn", 0, False),
        ("score", 3),
        ("learn", 2, False),
        ("learn", 0, True),
        ("score", 4),
        ("score", 5),
    ]


@pytest.mark.parametrize("name", CONTESTANTS)
def test_the_future_changes_no_score(name):
    project = read(DATA)
    whole = play(project, CONTESTANTS[name](project)).score
    cut = project._replace(at=project.at[:300], found=project.found[:300], values=project.values[:300])
    # what is known only after the last commit is cut off too
    cut = cut._replace(found=[found if found and found <= cut.at[-1] else None for found in cut.found])
    assert np.array_equal(play(cut, CONTESTANTS[name](cut)).score, whole[:300])


def test_the_label_known_at_the_time_leaves_out_late_defects(tmp_path):
    project = read(written(tmp_path / "a.csv.gz", row(0, WAITING_TIME, 1), row(0, WAITING_TIME + 1, 1), row(1)))
    assert project.known.tolist() == [True, False, False]


def test_figures_of_a_small_case():
    label = np.array([True, False, True, False])
    assert figures.roc_auc(label, np.array([0.9, 0.1, 0.4, 0.4])) == 0.875
    assert figures.roc_auc(label, np.zeros(4)) == 0.5
    assert figures.roc_auc(np.array([True]), np.zeros(1)) is None
    # after 2 commits both are right; then a defective one is missed; then a clean one is right
    faded = math.sqrt(0.99 / 1.99)
    assert figures.g_mean_over_time(label, np.array([True, False, False, False])) == pytest.approx((1 + 2 * faded) / 3)


def test_the_bootstrap_is_right_about_the_same_and_about_better():
    random = np.random.default_rng(1)
    label = random.random(800) < 0.3
    worse, better = label + random.normal(0, 3, 800), label + random.normal(0, 1, 800)
    assert figures.paired_bootstrap(label, worse, worse) == (0.0, 0.0, 0.0)
    found = figures.paired_bootstrap(label, better, worse)
    assert found is not None
    assert 0 < found.low < found.difference < found.high
    # ties count half, as in the figure itself
    rounded = np.round(better)
    assert figures.paired_bootstrap(label, rounded, rounded * 2) == (0.0, 0.0, 0.0)
    areas = [figures.roc_auc(label, each) or 0.0 for each in (better, worse)]
    assert found.difference == areas[0] - areas[1]


def test_the_command_writes_every_figure(tmp_path, capsys):
    out = tmp_path / "out.json"
    assert main([str(DATA), "--json", str(out)]) == 0
    written_out = json.loads(out.read_text())
    models = written_out["files"]["sentry-2011"]["models"]
    challengers = {"random_forest", "hist_gradient_boosting"}
    assert set(models) == {"vigia", "blend", "la", "clean"} | challengers == set(written_out["mean"]["models"])
    wanted = {"roc_auc", "g_mean", "g_mean_time_avg", "accuracy", "precision", "recall", "f1", "brier", "ece"}
    wanted |= {"set_decided", "set_error", "steps_per_second"}
    for model in models.values():
        assert wanted <= set(model)
        assert wanted <= set(model["without_empty_rows"])
        assert wanted <= set(model["label_known_after_90_days"])
    assert models["clean"]["roc_auc"] == 0.5
    assert models["clean"]["recall"] == 0.0
    assert models["clean"]["precision"] is None
    assert models["vigia"]["roc_auc"] > models["blend"]["roc_auc"]
    # a part of a project that the prior was made from, under another name
    assert written_out["files"]["sentry-2011"]["prior_without"] == "sentry"
    assert "vigia above blend" in capsys.readouterr().out


def test_one_model_alone(tmp_path):
    out = tmp_path / "out.json"
    assert main([str(DATA), "--model", "la", "--json", str(out)]) == 0
    assert set(json.loads(out.read_text())["mean"]["models"]) == {"la"}


def test_pictures_are_drawn_and_without_enough_commits_they_are_empty(tmp_path):
    assert main([str(DATA), "--model", "la", "--model", "blend", "--pictures", str(tmp_path / "new")]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["risk-over-time.png", "risk-reliability.png"]
    random = np.random.default_rng(1)
    label = random.random(2_500) < 0.3
    points = pictures.course(label, label + random.normal(0, 0.5, 2_500))
    assert [end for end, _ in points] == [1_000, 2_000]
    assert all(0.85 < area < 0.98 for _, area in points)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "has no commits"),
        ([row("x")], "line 2"),
        ([row(0), row(1, defective=2)], "line 3: needs commit_ts, and defective as 0 or 1"),
        ([row(0, la="inf")], "line 2: la is 'inf', which is no finite number"),
        ([row(0, la="many")], "line 2: la is 'many', which is no finite number"),
    ],
)
def test_a_file_that_is_no_project_is_refused_with_the_place(tmp_path, capsys, rows, says):
    assert main([str(written(tmp_path / "bad.csv.gz", *rows))]) == 2
    assert says in capsys.readouterr().err


def test_other_files_are_refused(tmp_path, capsys):
    plain = tmp_path / "plain.csv.gz"
    damaged = bytearray(gzip.compress((HEADER + "\n" * 500).encode()))
    damaged[15:25] = bytes(10)
    plain.write_bytes(damaged)
    assert main([str(plain)]) == 2
    assert "cannot be read as CSV" in capsys.readouterr().err
    with gzip.open(plain, "wt") as file:
        file.write("commit_ts,la\n1,2\n")
    assert main([str(plain)]) == 2
    assert "lacks the columns defect_found_ts, defective, fix" in capsys.readouterr().err
    assert main([str(DATA), str(DATA)]) == 2


def test_a_file_need_not_be_gzipped_and_may_begin_with_a_mark(tmp_path):
    zipped = written(tmp_path / "one.csv.gz", row(0), row(1))
    plain = tmp_path / "two.csv"
    plain.write_bytes(b"\xef\xbb\xbf" + gzip.decompress(zipped.read_bytes()))
    assert read(plain).values == read(zipped).values


def test_a_file_of_a_few_commits_has_no_interval_and_is_written_all_the_same(tmp_path):
    few = written(tmp_path / "few.csv.gz", row(0), row(1))
    assert main([str(few), "--json", str(tmp_path / "out.json")]) == 0
    assert (tmp_path / "out.json").stat().st_size


def test_an_empty_cell_is_not_known_and_no_model_minds(tmp_path):
    bad = [(day, day % 3 == 0) for day in range(200)]
    rows = [row(day * DAY, day * DAY + 5 if failed else "", int(failed), la="") for day, failed in bad]
    path = written(tmp_path / "a.csv.gz", *rows)
    project = read(path)
    for make in CONTESTANTS.values():
        assert np.isfinite(play(project, make(project)).score).all()


@pytest.mark.skipif(not PROJECTS.is_dir(), reason=f"no real data at {PROJECTS}: set REAL_DATA_DIR")
def test_a_real_project_that_the_prior_never_saw_is_ranked():
    project = read(PROJECTS / "wagtail.csv.gz")
    played = play(project, Vigia(project))
    assert (figures.roc_auc(project.defective, played.score) or 0.0) > 0.81
    assert (figures.calibration_error(project.defective[2_000:], played.score[2_000:]) or 1.0) < 0.04
    assert len(project.at) / played.seconds > 2_500, "10,000 on a machine that is not busy"
