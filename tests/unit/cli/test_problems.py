"""`vigia problems`: what is muted by the detectors' file is told beside what people muted; a bad file is named."""

import io
import json
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from rich.console import Console

from tests.contract.summaries_rows import commit, mute, problem, proposal, series, take, window
from vigia.cli import main
from vigia.cli.moments import written
from vigia.cli.problems.command import Answer, show
from vigia.events.summaries import DaySummary, HourSummary


def lines(mutes):
    keys = ("service", "metric", "from", "until", "author", "reason")
    for values in mutes:
        yield "[[mute]]"
        for key, value in zip(keys, values, strict=True):
            yield f"{key} = {value.isoformat() if isinstance(value, datetime) else json.dumps(value)}"


@pytest.fixture
def configured(summaries, url, tmp_path, monkeypatch):
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    path = tmp_path / "limits.toml"
    spans = {
        "now": (now - hour, now + hour),
        "over": (now - 2 * hour, now - hour),
        "next": (now + hour, now + 2 * hour),
    }
    mutes = [(service, "db_*", *spans[when], "joao", when) for service in ("check*", "shop") for when in spans]
    path.write_text("\n".join(lines(mutes)))
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    monkeypatch.setenv("VIGIA_DETECTORS", str(path))
    said = mute("mute-1", until=time.time() + 600)
    commit(summaries, take(summaries), summaries=[problem("1"), said])
    return path


def muted(capsys, *words):
    assert main(["problems", *words, "--json"]) == 0
    return [(each["service"], each["mute_id"], each["by"]) for each in json.loads(capsys.readouterr().out)["muted"]]


@pytest.mark.usefixtures("configured")
def test_what_the_file_mutes_now_is_told_after_what_people_muted(capsys):
    said = ("checkout", "mute-1", "maria")
    assert muted(capsys) == [said, ("check*", "", "joao"), ("shop", "", "joao")]
    assert muted(capsys, "checkout") == [said, ("check*", "", "joao")]
    assert muted(capsys, "cart") == []


@pytest.mark.usefixtures("configured")
def test_the_table_says_which_are_of_the_file(capsys):
    assert main(["problems", "checkout"]) == 0
    told = capsys.readouterr().out
    assert "by maria: moved\n" in told
    assert "db_* of check*, by joao: now (by configuration)" in told


@pytest.mark.parametrize("columns", [60, 80, 119, 120, 200])
def test_the_reason_is_told_whatever_the_width(columns):
    row = problem("1", service="payments-gateway-eu", detector="database_slow_queries")
    written_to = io.StringIO()
    to = Console(width=columns, file=written_to)
    show(Answer(since=None, until=None, problems=[row], part_of={}, muted=[], cut=False), None, to, row.at + 60)
    told = written_to.getvalue()
    assert row.why in " ".join(told.split())
    assert written(row.opened_at) in told
    assert max(map(len, told.splitlines())) <= columns


@pytest.mark.parametrize("columns", [60, 200])
def test_a_problem_says_after_which_deployment_it_opened_where_its_proposal_does(
    summaries, url, monkeypatch, capsys, columns
):
    rows = [problem("1"), problem("2"), proposal("1", after="12 min after checkout 7 was deployed"), proposal("2")]
    commit(summaries, take(summaries), summaries=rows)
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["problems", "--open"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("It opened 12 min after checkout 7 was deployed.") == 1
    assert told.count("It opened") == 1
    assert main(["problems", "--open", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["after"] == {problem("1").problem_id: "12 min after checkout 7 was deployed"}


@pytest.fixture
def silent(summaries, url, monkeypatch):
    """Problems: open ones of series that sent their last window 10 or 20 minutes or three weeks ago, or never, and one
    that is over.
    """
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    now = int(time.time()) // 60 * 60
    rows = [problem(name, opened_at=now - 3_000.0, at=now - 3_000.0) for name in ("sends", "quiet", "old", "none")]
    rows.append(
        problem("over", series_id=rows[1].series_id, opened_at=now - 3_000.0, status="resolved", at=now - 300.0)
    )
    day = (now - 21 * 86_400) // 86_400 * 86_400
    ends = [
        window("sends", now - 660),
        window("quiet", now - 1_260),
        window("quiet", now - 9_000),
        HourSummary(**msgspec.structs.asdict(window("old", day + 3_600))),
        DaySummary(**msgspec.structs.asdict(window("old", day))),
    ]
    named = [series(name) for name in ("sends", "quiet", "old", "none")]
    commit(summaries, take(summaries), summaries=[*rows, *named, *ends])
    return {rows[1].problem_id: now - 1_200.0, rows[2].problem_id: day + 7_200.0}


def test_of_an_open_problem_whose_series_sends_nothing_it_is_told_since_when(silent, capsys):
    assert main(["problems", "--open", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["no_data_since"] == silent
    assert main(["problems"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for since in silent.values():
        assert f"No data since {written(since)} UTC: whether it is over is not known. the error rate is 12 %" in told
    assert told.count("whether it is over is not known") == 2


def test_a_file_that_cannot_be_used_is_named(configured, capsys):
    configured.write_text("[[mute]]\nservice = 7\n")
    assert main(["problems"]) == 78
    assert "limits.toml" in capsys.readouterr().err
