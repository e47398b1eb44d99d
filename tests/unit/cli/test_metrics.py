"""`vigia metrics` and `vigia problems`: what they read is what was sent, rolled up already or not."""

import json

import pytest
from PIL import Image

from tests.contract.summaries_rows import commit, deployment, problem, take
from tests.unit.models.laws import Lane, Sent, Tick
from vigia import app
from vigia.cli import main
from vigia.cli.metrics.tables import course
from vigia.events.samples import Sample
from vigia.events.summaries import ProblemGroupSummary
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.settings import load

MIDNIGHT = 1_699_920_000
HOUR = 3_600
SPAN = ["--since", "2023-11-14", "--until", "2023-11-14T03:00"]
"""From MIDNIGHT on, three hours."""


def samples(minute):
    at = MIDNIGHT + 60.0 * minute + 30
    bad = 0.6 if 30 <= minute < 50 else 0.0
    yield Sample(service="shop", metric="error_rate", unit="1", points=[(at + second, bad) for second in range(3)])
    # restarted in between
    total = 120.0 * minute if minute < 100 else 120.0 * (minute - 100)
    yield Sample(service="shop", metric="requests", kind="counter", ts=at, value=total, labels={"zone": "[red]a"})
    if not 60 <= minute < 120:
        yield Sample(service="shop", metric="latency", unit="ms", ts=at, value=100.0 + minute)


@pytest.fixture(params=["rolled up", "not yet"])
def shop(request, tmp_path, monkeypatch) -> bool:
    """Three hours of a service in a SQLite file that the settings name; whether all its windows are closed."""
    folder = tmp_path
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", f"sqlite:///{folder}/summaries.db")
    monkeypatch.setenv("VIGIA_RAW_LOG_URL", f"sqlite:///{folder}/raw.db")
    monkeypatch.setenv("VIGIA_DATA_DIR", str(folder))
    lane = Lane(MetricsModel(MetricsConfig()), reload=False)
    for minute in range(181):
        lane.run([Sent(each, MIDNIGHT + 60.0 * minute + 40) for each in samples(minute)])
    if request.param == "rolled up":
        lane.run([Tick(MIDNIGHT + 100.0 * HOUR), Tick(MIDNIGHT + 200.0 * HOUR)])
        assert lane.counts["hours_rolled"]
    settings = load()
    app.migrate(settings)
    stores = app.open_stores(settings)
    shipped = deployment("7", service="shop", stage="finished", finished_at=MIDNIGHT + 1_500.0, outcome="failed")
    commit(stores.summaries, take(stores.summaries), summaries=[*lane.rows.values(), shipped])
    stores.close()
    return bool(lane.counts["hours_rolled"])


def answer(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("level", ["window", "hour", "day"])
def test_every_level_tells_of_the_same_samples(shop, capsys, level):
    found = answer(capsys, "metrics", "shop", *SPAN, "--level", level)
    by_metric = {each["series"]["metric"]: each for each in found["series"]}
    errors, requests, latency = (by_metric[name] for name in ("error_rate", "requests", "latency"))
    # a day that has begun is all that came of it, the minute after the span too, if that is closed
    minutes = 181 if shop and level == "day" else 180
    assert errors["total"]["count"] == 3 * minutes
    assert errors["total"]["mean"] == pytest.approx(0.6 * 20 / minutes)
    assert latency["total"]["p50"] == pytest.approx(220.0 if minutes > 180 else 159.0, rel=0.01)
    assert requests["total"]["increase"] == 120.0 * (99 + minutes - 101)
    assert [point["figures"]["count"] for point in latency["points"]] == {
        "window": [1] * 120,
        "hour": [60, 60],
        "day": [minutes - 60],
    }[level]
    assert latency["missing"] == {"window": 60, "hour": 1, "day": 0}[level]


def test_rates_of_windows_are_since_the_sample_before_and_a_reset_is_none(shop, capsys):
    found = answer(capsys, "metrics", "shop", "--metric", "requests", *SPAN, "--level", "window")
    rates = [point["figures"].get("rate") for point in found["series"][0]["points"]]
    assert rates[0] is None
    assert rates[1:100] == [2.0] * 99
    assert rates[100] == 0.0
    assert rates[101:] == [2.0] * 79


def test_tables_show_series_windows_and_where_there_are_none(shop, capsys):
    assert main(["metrics", "shop", *SPAN, "--level", "hour"]) == 0
    printed = capsys.readouterr().out
    assert "requests zone=[red]a production" in printed
    assert "1 problem in this span, 0 open" in printed
    assert main(["metrics", "shop", "--metric", "latency", *SPAN, "--level", "hour"]) == 0
    assert "no samples" in capsys.readouterr().out


def test_what_is_not_there_is_explained(shop, capsys):
    assert main(["metrics", "mail"]) == 0
    said = capsys.readouterr().out
    assert "no sample of the service 'mail' has ever come in: they are sent to the topic metrics\n" in said
    assert main(["metrics", "a\x1b[2J"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["metrics", "sho"]) == 0
    assert "to the topic metrics; there are shop" in capsys.readouterr().out
    assert main(["metrics", "shop", "--metric", "cpu"]) == 0
    assert "shop has error_rate (production), latency (production), requests" in capsys.readouterr().out
    assert main(["metrics", "shop", "--since", "1h"]) == 0
    assert "none has samples in this span" in capsys.readouterr().out
    assert main(["metrics", "shop", "--since", "2023-11-15", "--until", "2023-11-14"]) != 0
    assert "must lie before" in capsys.readouterr().err


def test_problems_are_listed_by_service_span_and_status(shop, capsys):
    (problem,) = answer(capsys, "problems", "shop", *SPAN)["problems"]
    assert (problem["detector"], problem["status"]) == ("high_error_rate", "resolved")
    assert answer(capsys, "problems", *SPAN)["problems"] == [problem]
    assert answer(capsys, "problems", "mail", *SPAN)["problems"] == []
    assert answer(capsys, "problems", "--open")["problems"] == []
    assert answer(capsys, "problems", "--since", "1d")["problems"] == []
    assert main(["problems", *SPAN]) == 0
    said = capsys.readouterr().out
    assert "high_error_rate" in said
    assert "severity" in said


def test_what_is_part_of_another_problem_stands_under_it_and_says_so(shop, capsys):
    (alone,) = answer(capsys, "problems", "shop", *SPAN)["problems"]
    rows = [
        problem("cause", service="queue", detector="shared_dependency", opened_at=alone["opened_at"], at=alone["at"]),
        problem("late", service="mail", detector="high_error_rate", opened_at=alone["opened_at"] + 9, at=alone["at"]),
        problem("other", service="mail", detector="memory_leak", opened_at=alone["opened_at"] + 5, at=alone["at"]),
    ]
    cause = rows[0].problem_id
    groups = [
        ProblemGroupSummary(problem_id=each, part_of=cause, service="x", at=1.0, released=released, version=1)
        for each, released in ((alone["problem_id"], 0), (rows[1].problem_id, 0), (rows[2].problem_id, 1))
    ]
    stores = app.open_stores(load())
    commit(stores.summaries, take(stores.summaries, owner="worker-9"), summaries=[*rows, *groups])
    stores.close()
    found = answer(capsys, "problems", *SPAN)
    assert found["part_of"] == {alone["problem_id"]: cause, rows[1].problem_id: cause}
    assert main(["problems", *SPAN]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "production" in line]
    assert [line.split(")")[0].split()[-2:] for line in said] == [
        ["mail", "(production"],
        ["queue", "(production"],
        ["mail", "(production"],
        ["shop", "(production"],
    ]
    assert ["└" in line for line in said] == [False, False, True, True]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_has_series_limits_problems_and_deployments(shop, capsys, tmp_path, suffix):
    path = tmp_path / f"shop.{suffix}"
    assert main(["metrics", "shop", *SPAN, "--level", "window", "--picture", str(path)]) == 0
    if suffix == "png":
        with Image.open(path) as image:
            assert image.size[0] > 1_000
        return
    drawn = path.read_text()
    for text in ("error_rate", "requests", "high_error_rate.open_at 0.05", "1.2.3", "high_error_rate"):
        assert f"<!-- {text}" in drawn


def test_a_picture_of_another_kind_or_place_is_refused(shop, capsys, tmp_path):
    assert main(["metrics", "shop", *SPAN, "--picture", str(tmp_path / "x.gif")]) != 0
    assert "ends with .png or .svg" in capsys.readouterr().err
    assert main(["metrics", "shop", *SPAN, "--picture", str(tmp_path / "none" / "x.png")]) != 0
    assert "cannot be written" in capsys.readouterr().err


def test_without_series_there_is_no_picture_and_that_is_said(shop, capsys, tmp_path):
    path = tmp_path / "x.png"
    assert main(["metrics", "mail", "--picture", str(path)]) != 0
    assert f"{path} was not drawn: there are no series" in capsys.readouterr().err
    assert not path.exists()


LIMITS = {
    "samples": "levels.MOST",
    "series": "command.MOST_SERIES",
    "problems": "command.MOST_PROBLEMS",
    "deployments": "command.MOST_DEPLOYMENTS",
}


def lowered(monkeypatch, what, to):
    monkeypatch.setattr(f"vigia.cli.metrics.{LIMITS[what]}", to)


@pytest.mark.parametrize(
    ("what", "there_are"), [("series", 3), ("problems", 1), ("deployments", 1), ("samples", 180 + 180 + 120)]
)
def test_what_is_cut_is_said_and_only_then(shop, capsys, monkeypatch, tmp_path, what, there_are):
    asked = ["metrics", "shop", *SPAN, "--level", "window"]
    lowered(monkeypatch, what, there_are)
    assert answer(capsys, *asked)["cut"] == []
    lowered(monkeypatch, what, there_are - 1)
    found = answer(capsys, *asked)
    assert found["cut"] == [what]
    if what != "samples":
        assert len(found[what]) == there_are - 1
    path = tmp_path / "cut.svg"
    assert main([*asked, "--picture", str(path)]) == 0
    said = f"there are more {what}"
    assert f"This is not all: {said}." in " ".join(capsys.readouterr().out.split())
    assert said in path.read_text()


@pytest.mark.parametrize("level", ["hour", "day"])
def test_rows_that_are_cut_below_the_level_are_said_too(shop, capsys, monkeypatch, level):
    lowered(monkeypatch, "samples", 1)
    assert answer(capsys, "metrics", "shop", *SPAN, "--level", level)["cut"] == ["samples"]


def test_more_problems_than_are_told_of_are_not_counted_as_all(shop, capsys, monkeypatch):
    lowered(monkeypatch, "problems", 0)
    assert main(["metrics", "shop", *SPAN]) == 0
    assert "more than 0 problems in this span, 0 open among the latest 0" in capsys.readouterr().out


def test_a_course_leaves_blanks_where_nothing_came():
    assert course([], 0.0, 100.0) == ""
