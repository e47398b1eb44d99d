"""`python -m scripts.ml.evaluate_hindsight`: how good a score could be that knew the future."""

import gzip
import json

from scripts.ml import evaluate_hindsight
from vigia.feeds.history import DATA


def test_hindsight_is_better_than_no_knowledge(tmp_path, capsys):
    out = tmp_path / "out.json"
    assert evaluate_hindsight.main([str(DATA), "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert all(area > 0.65 for area in found["files"]["sentry-2011"].values())
    assert found["mean"] == found["files"]["sentry-2011"]
    assert "logistic_regression" in capsys.readouterr().out


def test_hindsight_needs_commits_of_both_classes(tmp_path, capsys):
    path = tmp_path / "few.csv"
    path.write_text("\n".join(gzip.decompress(DATA.read_bytes()).decode().split("\n")[:8]))
    assert evaluate_hindsight.main([str(path)]) == 2
    assert "has fewer than 10 commits of a class" in capsys.readouterr().err
    assert evaluate_hindsight.main([str(path), "--json", str(tmp_path)]) == 2
