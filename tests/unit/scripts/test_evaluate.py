"""`python -m scripts.ml.evaluate`: its figures, its protocol, and what it says of files that it cannot use."""

import gzip
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from scripts.ml.evaluate import main
from scripts.ml.evaluation import figures, pictures, targets
from scripts.ml.evaluation.contestants import CONTESTANTS, Vigia
from scripts.ml.evaluation.playing import AtOnce, Played, Said, play
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
    wanted |= {"set_decided", "set_error", "set_lone_fail_wrong", "set_lone_ok_wrong", "steps_per_second"}
    for model in (*models.values(), *written_out["mean"]["models"].values()):
        assert wanted <= set(model)
        assert wanted <= set(model["without_empty_rows"])
        assert wanted <= set(model["label_known_after_90_days"])
    assert models["clean"]["roc_auc"] == 0.5
    assert models["clean"]["recall"] == 0.0
    assert models["clean"]["precision"] is None
    # every answer is either alone or beside the other
    vigia = models["vigia"]
    assert vigia["set_lone_ok"] + vigia["set_lone_fail"] == pytest.approx(vigia["set_decided"])
    assert vigia["set_lone_ok"] * vigia["set_lone_ok_wrong"] + vigia["set_lone_fail"] * vigia[
        "set_lone_fail_wrong"
    ] == pytest.approx(vigia["set_error"])
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
        ([row(0), row(1_294_555_596_000)], "line 3: commit_ts is 1294555596000: looks like epoch milliseconds"),
        ([row(1e308)], "line 2: commit_ts is 1"),
        ([row(-1)], "line 2: commit_ts is -1: a time before 1970"),
        ([row(0, found=1_294_555_596_000, defective=1)], "line 2: defect_found_ts is 1294555596000: looks like"),
        (["", "", row("x")], "line 4: commit_ts"),
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
    assert "given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "place", "says"),
    [
        ("--json", "none/out.json", "there is no folder"),
        ("--json", "folder", "is a folder"),
        ("--pictures", "file", "file is no folder"),
        ("--pictures", "file/below", "file is no folder"),
    ],
)
def test_results_that_could_not_be_written_are_refused_before_anything_is_played(
    tmp_path, capsys, monkeypatch, option, place, says
):
    monkeypatch.setattr("scripts.ml.evaluate.evaluate", None)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    assert main([str(DATA), option, str(tmp_path / place)]) == 2
    assert says in capsys.readouterr().err


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder / "same.csv.gz", row(0), row(1))
    written(tmp_path / "other.csv.gz", row(0))
    out = tmp_path / "out.json"
    paths = [tmp_path / "one/same.csv.gz", tmp_path / "two/same.csv.gz", tmp_path / "other.csv.gz"]
    assert main([*map(str, paths), "--model", "la", "--json", str(out)]) == 0
    assert set(json.loads(out.read_text())["files"]) == {"one/same", "two/same", "other"}


def test_nothing_in_a_files_name_reaches_the_terminal_as_it_is(tmp_path, capsys):
    path = written(tmp_path / "a\x1b[31mb$\n$.csv.gz", row(0), row(1))
    assert main([str(path), "--model", "la", "--pictures", str(tmp_path / "pic\x1btures")]) == 0
    path.write_bytes(b"")
    assert main([str(path)]) == 2
    said = capsys.readouterr()
    assert r"a\x1b[31mb$\n$" in said.out
    assert r"a\x1b[31mb$\n$" in said.err
    assert "\x1b" not in said.out + said.err


def test_rows_that_contradict_themselves_are_used_and_counted(tmp_path, capsys):
    path = tmp_path / "odd.csv"
    rows = [row(0), row(10, 20), row(30, 40, 1), row(50, "", 1), row(60, 55, 1), row(70)[:-3], row(80) + ",1"]
    path.write_text("\n".join([HEADER + ",fix", *(each + ",0" for each in rows[:-2]), *rows[-2:]]) + ",2\n")
    odd = read(path).odd
    assert odd == {
        "clean_but_found": 1,
        "defective_never_found": 1,
        "found_before_commit": 1,
        "short_lines": 1,
        "long_lines": 1,
        "repeated_columns": 1,
    }
    out = tmp_path / "out.json"
    assert main([str(path), "--model", "la", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["files"]["odd"]["odd_rows"] == odd
    assert "odd: 1 rows are clean, but say when a defect was found" in capsys.readouterr().out


def test_what_is_not_known_is_not_taken_for_empty(tmp_path):
    blank, zeros = ",".join(["0", "", "0", *[""] * 14]), ",".join(["1", "", "0", "1", *["0"] * 13])
    assert read(written(tmp_path / "a.csv.gz", blank, zeros)).empty.tolist() == [False, True]


def test_the_first_commits_left_out_of_calibration_are_those_of_the_project_whichever_rows_are_judged():
    label = np.zeros(figures.WARM_UP + 2, dtype=bool)
    score = np.where(np.arange(len(label)) < figures.WARM_UP, 1.0, 0.25)
    judged = np.arange(len(label)) % 2 == 0
    played = Played(score, label, [None] * len(label), 1.0)
    contestant = CONTESTANTS["clean"](read(DATA))
    assert figures.figures(played, label, judged, contestant)["ece"] == 0.25


def test_a_lone_answer_is_wrong_as_often_as_it_is_given_to_the_other_class():
    label = np.array([True, True, False, False, False])
    excluded = [False, None, False, False, True]
    played = Played(np.zeros(5), label, excluded, 1.0)
    contestant = Vigia(read(DATA))
    found = figures.figures(played, label, np.ones(5, dtype=bool), contestant)
    assert (found["set_lone_fail"], found["set_lone_fail_wrong"]) == (0.6, 2 / 3)
    assert (found["set_lone_ok"], found["set_lone_ok_wrong"]) == (0.2, 0.0)


@pytest.mark.parametrize(
    ("figure", "defective", "clean", "meets"),
    [
        (0.72, 400, 600, True),
        (0.69, 400, 600, False),
        (None, 400, 600, None),  # undefined
        (0.9, 49, 600, None),  # too few of a class
        (0.72, 240, 760, None),  # always "clean" has .76
        (0.69, 240, 760, False),  # and what is not met is not met
    ],
)
def test_a_target_is_met_only_where_the_project_can_say_it(figure, defective, clean, meets):
    given = dict.fromkeys(targets.TARGETS, 0.5) | {"accuracy": figure}
    met, unsaid = targets.met(given, defective, clean)
    assert met["accuracy"] is meets
    assert ("accuracy" in unsaid) == (meets is None)


def test_a_file_of_one_class_meets_nothing(tmp_path, capsys):
    path = written(tmp_path / "bad.csv.gz", *(row(day * DAY, day * DAY + 5, 1) for day in range(50)))
    out = tmp_path / "out.json"
    assert main([str(path), "--json", str(out)]) == 0
    models = json.loads(out.read_text())["files"]["bad"]["models"]
    assert not any(met for model in models.values() for met in model["targets_met"].values())
    said = capsys.readouterr().out
    assert "recall cannot be said (50 defective and 0 clean commits are too few)" in said
    assert 'always "defective": accuracy 1.0000' in said


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
def test_a_real_project_is_played_fast():
    project = read(PROJECTS / "wagtail.csv.gz")
    played = play(project, Vigia(project))
    assert len(project.at) / played.seconds > 2_500, "10,000 on a machine that is not busy"
