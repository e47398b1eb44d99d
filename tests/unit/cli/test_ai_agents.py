"""`vigia ai-agents` shows what was counted, as tables and as JSON, and says why where there is nothing."""

import json
from datetime import UTC, datetime

import pytest

from tests.contract.summaries_rows import commit, take
from tests.unit.models.made_decisions import MIDNIGHT, made, rows_of
from vigia.cli import main
from vigia.models.telemetry.state import DAY

DATES = [datetime.fromtimestamp(MIDNIGHT + day * DAY, UTC).date().isoformat() for day in range(20)]
SPAN = ["--since", DATES[10], "--until", DATES[19]]


@pytest.fixture
def url(url, monkeypatch):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    return url


@pytest.fixture
def filled(summaries):
    """Twenty days of one agent, of which the second ten are less sure."""
    before, now = made(1, 1_000, days=10), made(2, 1_000, days=10, first_day=10, shape=(3.0, 2.0))
    tallies, times = rows_of([*before.events, *now.events])
    commit(summaries, take(summaries), summaries=[*tallies, *times])
    return now


def test_json_has_the_figures_of_the_span(filled, capsys):
    assert main(["ai-agents", *SPAN, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["since"], answer["until"], answer["formula_version"]) == (DATES[10], DATES[19], 1)
    assert answer["targets"] == {"accuracy": 0.85, "feedback": 0.3}
    (bot,) = answer["agents"]
    assert (bot["agent"], bot["decision_type"], bot["decisions"]) == ("bot", "triage", 1_000)
    assert bot["together"]["accuracy"]["n"] == filled.judged.sum()
    assert bot["together"]["accuracy"]["count"] == (filled.judged & filled.right).sum()
    assert bot["confidence_drift"]["drifted"] is True
    assert bot["expected_accuracy"]["foretold"]["pieces"] == 10
    assert list(bot["why"]) == ["agreement"]


def test_tables_show_the_same_and_one_agent_alone_its_buckets(filled, capsys):
    assert main(["ai-agents", *SPAN, "--agent", "bot"]) == 0
    shown = capsys.readouterr().out
    accuracy = (filled.judged & filled.right).sum() / filled.judged.sum()
    for text in (
        f"{DATES[10]} to {DATES[19]} (10 days)",
        f"{accuracy:.1%}",
        "80% to 100%",
        "agreement: no decision was",
    ):
        assert text in shown


def test_names_with_markup_are_shown_as_they_are(summaries, capsys):
    tallies, _ = rows_of([event for event in made(1, 3).events if hasattr(event, "decision")])
    renamed = [
        type(row)(**{name: getattr(row, name) for name in row.__struct_fields__} | {"agent": "[red]bot[/]\x1b[2J"})
        for row in tallies
    ]
    commit(summaries, take(summaries), summaries=renamed)
    assert main(["ai-agents", "--since", DATES[0], "--until", DATES[0]]) == 0
    shown = capsys.readouterr().out
    assert "[red]bot[/]\\x1b[2J" in shown
    assert "\x1b" not in shown


def test_targets_are_settings(filled, monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_TELEMETRY_ACCURACY_TARGET", "0.2")
    main(["ai-agents", *SPAN, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["agents"][0]["accuracy_target"] == "met"


def test_a_span_without_decisions_says_when_there_were_some(filled, capsys):
    assert main(["ai-agents", "--until", "2001-01-31", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["since"], answer["until"], answer["agents"]) == ("2001-01-02", "2001-01-31", [])
    assert answer["empty"] == f"no decision of any AI agent lies in this span; the latest day with one is {DATES[19]}"
    assert main(["ai-agents", "--agent", "nobody", *SPAN]) == 0
    assert "no decision of the AI agent 'nobody' has ever come in" in capsys.readouterr().out


@pytest.mark.parametrize("given", [["--since", "yesterday"], ["--until", "1969-12-31"], ["--since", "2026-02-30"]])
def test_what_is_no_day_is_refused(given, url, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["ai-agents", *given])
    assert ended.value.code == 2
    assert given[1] in capsys.readouterr().err


def test_a_span_that_ends_before_it_begins_is_refused(url, capsys):
    assert main(["ai-agents", "--since", "2026-02-02", "--until", "2026-02-01"]) == 78
    assert "--since 2026-02-02 lies after --until 2026-02-01" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_told_and_not_made(url, tmp_path, capsys):
    assert main(["ai-agents"]) == 78
    assert "does the folder of the database file exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_never_migrated_is_told(url, tmp_path, capsys):
    (tmp_path / "summaries.db").touch()
    assert main(["ai-agents"]) == 78
    assert "run the migration" in capsys.readouterr().err
