"""The scores of labelled series, by hand-made cases; and the command that scores a series."""

import csv
import json
import math
import random

import pytest

from scripts.ml import detect, evaluate_detectors
from scripts.ml.detection.nab import PROFILES, nab_score, worths
from scripts.ml.detection.points import point_figures
from scripts.ml.detection.scorers import STEP, WINDOW, vigia, windowed_gaussian
from scripts.ml.detection.series import Series, SeriesError, read_series

STANDARD = PROFILES["standard"]


def a_series(values, name="a.csv", labels=()):
    times = [60.0 * index for index in range(len(values))]
    return Series(name, times, values, labels, [(str(at), str(value)) for at, value in zip(times, values, strict=True)])


def detected_at(*rows, count=100):
    return [1.0 if row in rows else 0.0 for row in range(count)]


def score_of(*rows, windows=((3_000.0, 3_540.0),), profile=STANDARD):
    series = a_series([0.0] * 100)
    return nab_score([series], {"a.csv": windows}, {"a.csv": detected_at(*rows)}, profile).score


def test_silence_is_0_and_the_first_row_of_each_window_100():
    assert score_of() == 0.0
    assert score_of(50) == pytest.approx(100.0)
    assert score_of(50, 51, 59) == pytest.approx(100.0), "more detections in a window add nothing"


def test_a_later_detection_is_worth_less():
    early, late = score_of(52), score_of(58)
    assert 50.0 < late < early < 100.0
    by_hand = (2 / (1 + math.exp(-5 * 2 / 10)) - 1) / (2 / (1 + math.exp(-5)) - 1)
    assert late == pytest.approx(50 * (by_hand + 1))


def test_a_false_alarm_before_any_window_costs_its_whole_weight():
    # the threshold is below both, since only together are they detections
    assert score_of(20, 50) == pytest.approx(100 - 50 * 0.11)
    assert score_of(20, 50, profile=PROFILES["low FP"]) == pytest.approx(100 - 50 * 0.22)


def test_a_false_alarm_just_behind_a_window_costs_less_than_far_behind():
    assert score_of(50, 60) > score_of(50, 99)


def test_probation_counts_nothing():
    assert score_of(3, 50) == score_of(50)


def test_a_missed_window_weighs_more_where_misses_do():
    two = ((3_000.0, 3_540.0), (4_800.0, 5_340.0))
    assert score_of(50, windows=two) == pytest.approx(50.0)
    assert score_of(50, windows=two, profile=PROFILES["low FN"]) == pytest.approx(50.0)
    costs = worths([60.0 * row for row in range(100)], two, STANDARD)[0]
    assert costs[50] == pytest.approx(1.0)
    assert -0.11 <= costs[99] < 0


def test_the_gaussian_is_what_a_plain_recomputation_says():
    rng = random.Random(3)
    values = [rng.gauss(5, 2) for _ in range(WINDOW + 2 * STEP + 5)]
    found = windowed_gaussian(a_series(values))
    for row, kept in ((10, values[:10]), (WINDOW + STEP + 3, values[STEP : WINDOW + STEP])):
        mean = sum(kept) / len(kept)
        deviation = math.sqrt(sum((one - mean) ** 2 for one in kept) / len(kept))
        assert found[row] == pytest.approx(1 - 0.5 * math.erfc(abs(values[row] - mean) / deviation / math.sqrt(2)))


def test_points_of_a_perfect_score():
    labels = [row in (40, 41, 80) for row in range(100)]
    figures = point_figures(a_series([0.0] * 100, labels=labels), [float(label) for label in labels])
    assert figures == (1.0, 1.0, 1.0, 0.0)
    assert point_figures(a_series([0.0, 1.0], labels=[False, False]), [0.0, 1.0]).auc_pr is None


def written(tmp_path, text, name="in.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_detect_writes_a_score_for_each_row_and_keeps_what_was_written(tmp_path):
    rows = [(f"2026-01-01 {row // 60:02}:{row % 60:02}:00", f"{10 + row % 3}.50") for row in range(300)]
    rows[100] = (rows[100][0], "")
    source = written(tmp_path, "timestamp,value\n" + "".join(f"{at},{value}\n" for at, value in rows))
    assert detect.main([str(source), str(tmp_path / "out.csv")]) == 0
    out = list(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
    assert out[0] == ["timestamp", "value", "anomaly_score"]
    assert [tuple(row[:2]) for row in out[1:]] == rows
    assert [float(row[2]) for row in out[1:]] == vigia(read_series(source))
    assert float(out[101][2]) == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,value\n1,2\n", "line 1: no column timestamp"),
        ("timestamp,value\nyesterday,2\n", "line 2: timestamp is 'yesterday': write 2026"),
        ("timestamp,value\n1,2\n2,much\n", "line 3: value is 'much', which is no number"),
        ("timestamp,value\n1\n", "line 2: 1 fields"),
        ("timestamp,value\n1700000000000,2\n", "line 2: '1700000000000' is no time in epoch seconds"),
        ("", "line 1: no column"),
    ],
)
def test_what_is_no_series_is_refused_with_its_line(tmp_path, capsys, text, said):
    source = written(tmp_path, text)
    with pytest.raises(SeriesError, match=said):
        read_series(source)
    assert detect.main([str(source), str(tmp_path / "out.csv")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_detect_does_not_look_at_labels(tmp_path):
    source = written(tmp_path, "timestamp,value,label\n1,2,\n2,3,no\n")
    assert detect.main([str(source), str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == ["1,2,0.0", "2,3,0.0"]
    with pytest.raises(SeriesError, match="line 2: label is ''"):
        read_series(source)


def test_names_are_whole_where_there_is_no_terminal(tmp_path, capsys):
    name = "middle-tier-api-dependency-latency-of-orders/outbound-01.csv"
    (tmp_path / name).parent.mkdir()
    written(tmp_path, "timestamp,value,label\n1,2,0\n2,9,1\n", name)
    assert evaluate_detectors.main([str(tmp_path)]) == 0
    assert name in capsys.readouterr().out


def test_evaluate_reads_both_layouts_and_writes_figures_and_pictures(tmp_path, capsys):
    spike = [50.0 if row == 900 else 10.0 + row % 5 for row in range(1_000)]
    body = "".join(f"{60 * row},{value},{int(row == 900)}\n" for row, value in enumerate(spike))
    nab, points = tmp_path / "nab", tmp_path / "points"
    for folder in (nab, points):
        folder.mkdir()
        written(folder, "timestamp,value,label\n" + body, "a.csv")
    written(nab, json.dumps({"a.csv": [["1970-01-01 14:50:00.000000", "1970-01-01 15:10:00.000000"]]}), "windows.json")
    out = tmp_path / "out.json"
    assert evaluate_detectors.main([str(nab), str(points), "--json", str(out), "--pictures", str(tmp_path / "p")]) == 0
    figures = json.loads(out.read_text())
    assert figures["nab"]["all"]["vigia"]["standard"] > 60
    assert figures["points"]["a.csv"]["vigia"]["auc_pr"] == 1.0
    assert (tmp_path / "p" / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "1 of 1" not in capsys.readouterr().err
    assert evaluate_detectors.main([str(tmp_path / "p")]) == 2
