"""`vigia dora` and `vigia deployments`: what is delivered, as tables and as JSON, and why where there is nothing."""

import json

import pytest

from scripts.delivery.year import Size, fill, team_of
from tests.contract.summaries_rows import NOON, commit, deployment, take
from vigia.cli import main
from vigia.cli.delivery.arguments import YEARS
from vigia.models.dora.levels import METRICS
from vigia.models.dora.levels import YEARS as KNOWN_YEARS
from vigia.stores.sql.summaries import open_summaries

DAY = 86_400.0
UNTIL = 20_000 * DAY
"""2024-10-04, when the made-up year ends."""
SIZE = Size(UNTIL, teams=2, services=4, deployments=400, incidents=40)
SPAN = ["--since", "2023-10-05", "--until", "2024-10-03"]


@pytest.fixture
def database(url, summaries, monkeypatch):
    """An empty database that the settings name."""
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    return summaries


@pytest.fixture(scope="module")
def year_once(tmp_path_factory):
    """The address of a year of two teams."""
    url = f"sqlite:///{tmp_path_factory.mktemp('year')}/summaries.db"
    summaries = open_summaries(url)
    summaries.migrate()
    fill(summaries, SIZE)
    summaries.close()
    return url


@pytest.fixture
def year(year_once, monkeypatch):
    """The settings name that year."""
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", year_once)


def answer(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def metrics(found):
    return {each["name"]: each for each in found["metrics"]}


def test_json_has_the_five_metrics_with_intervals_levels_and_what_was_left_out(year, capsys):
    found = answer(capsys, "dora", *SPAN)
    assert (found["formula_version"], found["of"], found["year"], found["days"]) == ("dora-1", "all", 2024, [])
    assert (found["since"], found["until"]) == (UNTIL - 365 * DAY, UNTIL)
    by_name = metrics(found)
    assert tuple(by_name) == METRICS
    for each in by_name.values():
        assert each["low"] <= each["value"] <= each["high"]
        assert each["n"] > 0
        assert each["why_empty"] == ""
    assert by_name["change_lead_time"]["excluded"]["first_deployment"] > 0
    assert by_name["change_fail_rate"]["count"] <= by_name["change_fail_rate"]["n"]
    assert [each["table"] for each in by_name["change_lead_time"]["levels"]] == ["2024", "own"]


def test_a_service_a_team_and_an_organisation_have_their_own(year, tmp_path, monkeypatch, capsys):
    catalog = tmp_path / "catalog.toml"
    catalog.write_text('[[team]]\nname = "team-00"\norganisation = "acme"\n')
    monkeypatch.setenv("VIGIA_CATALOG", str(catalog))
    n = {
        name: metrics(answer(capsys, "dora", *asked, *SPAN))["deployment_frequency"]["n"]
        for name, asked in {
            "all": [],
            **{f"service {each}": ["--service", f"service-{each:03d}"] for each in range(SIZE.services)},
            **{team_of(each, SIZE): ["--team", team_of(each, SIZE)] for each in range(SIZE.teams)},
            "acme": ["--organisation", "acme"],
        }.items()
    }
    assert n["team-00"] == n["service 0"] + n["service 2"] == n["acme"]
    assert n["all"] == n["team-00"] + n["team-01"]


def test_days_add_up_to_the_whole(year, capsys):
    found = answer(capsys, "dora", *SPAN, "--days")
    by_name = metrics(found)
    assert sum(day["deployments"] for day in found["days"]) == by_name["deployment_frequency"]["n"]
    assert sum(day["failed"] for day in found["days"]) == by_name["change_fail_rate"]["count"]
    assert sum(day["commits"] for day in found["days"]) == by_name["change_lead_time"]["n"]


def test_another_environment_can_be_counted_as_production(year, capsys):
    staging, both = (
        answer(capsys, "dora", *SPAN, *(word for name in names for word in ("--environment", name)))
        for names in (["staging"], ["production", "staging"])
    )
    alone = answer(capsys, "dora", *SPAN)
    counts = [metrics(each)["deployment_frequency"]["n"] for each in (alone, staging, both)]
    assert counts[0] + counts[1] == counts[2]
    assert min(counts) > 0
    assert both["environments"] == ["production", "staging"]


def test_the_level_is_that_of_the_year_asked_for(year, capsys):
    names = {
        asked: {
            level["table"]
            for each in answer(capsys, "dora", *SPAN, "--year", asked)["metrics"]
            for level in each["levels"]
        }
        for asked in ("2021", "2023")
    }
    assert names == {"2021": {"2021", "own"}, "2023": {"2023", "own"}}
    assert YEARS == KNOWN_YEARS


def test_tables_show_the_same(year, capsys):
    found = metrics(answer(capsys, "dora", "--team", "team-01", *SPAN))
    assert main(["dora", "--team", "team-01", *SPAN, "--days"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    rate = found["change_fail_rate"]
    for words in (
        "Delivery of team team-01, 2023-10-05 to 2024-10-03 (365 days)",
        f"{rate['value']:.1%} {rate['low']:.1%} to {rate['high']:.1%}",
        "level 2024",
        "own level",
        "rollbacks: they bring no change",
        "2024-10-03",
    ):
        assert words in shown
    assert "no value" not in shown


def test_a_frequency_and_its_interval_are_written_alike(year, capsys):
    assert main(["dora", *SPAN, "--service", "service-001"]) == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("deployment frequency")]
    assert line.count("a week") == 2


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], "no deployment of anybody to production was ever told to have succeeded"),
        (["--service", "[red]web"], "no deployment of service '[red]web' to production was ever told"),
        (["--team", "a\x1b[2Jb"], "team 'a\\x1b[2Jb'"),
    ],
)
def test_an_empty_database_says_why_each_metric_has_no_value(database, capsys, asked, words):
    assert main(["dora", *asked]) == 0
    shown = capsys.readouterr().out
    assert "why there is no value" in shown
    assert words in " ".join(shown.split())
    assert "\x1b" not in shown
    assert all(each["why_empty"] for each in answer(capsys, "dora", *asked)["metrics"])


def test_one_reason_of_several_metrics_is_said_once(database, capsys):
    assert main(["dora"]) == 0
    assert capsys.readouterr().out.count("was ever told to have succeeded") == 1


def test_a_span_without_deployments_says_when_the_first_was(year, capsys):
    assert main(["dora", "--since", "2020-01-01", "--until", "2020-01-31"]) == 0
    assert "in this window (the first ever did on 2023-10-09)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "given", [["--since", "yesterday"], ["--year", "2022"], ["--team", "a", "--service", "b"], ["--environment"]]
)
def test_what_cannot_be_asked_is_refused(database, given, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dora", *given])
    assert ended.value.code == 2
    assert given[0] in capsys.readouterr().err


def test_a_span_that_ends_before_it_begins_is_refused(database, capsys):
    assert main(["dora", "--since", "2026-02-02", "--until", "2026-02-01"]) == 78
    assert "--since 2026-02-02 lies after --until 2026-02-01" in capsys.readouterr().err


def test_an_organisation_that_the_catalog_does_not_know_is_refused_with_the_nearest(database, capsys):
    assert main(["dora", "--organisation", "shops"]) == 78
    assert "no organisation 'shops'; did you mean 'shop'?" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["dora", "deployments"])
def test_a_database_that_is_not_there_is_told_and_not_made(command, url, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    assert main([command]) == 78
    assert "does the folder of the database file exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def shipped(database):
    """Three deployments of two services, the latest of one with markup in its name."""
    rows = [
        deployment("1", planned_at=NOON, stage="finished", status="failed", finished_at=NOON + 60, risk=0.25),
        deployment("2", planned_at=NOON + 100, risk=None, kind="deployment"),
        deployment("3", service="[red]web\x1b[2J", planned_at=NOON + 200, outcome="failed", outcome_label="defect"),
    ]
    commit(database, take(database), summaries=rows)


def test_deployments_are_listed_the_latest_first(shipped, capsys):
    found = answer(capsys, "deployments")
    assert [each["external_id"] for each in found] == ["3", "2", "1"]
    assert (found[2]["risk"], found[2]["status"], found[1]["risk"]) == (0.25, "failed", None)
    assert [each["external_id"] for each in answer(capsys, "deployments", "--limit", "1")] == ["3"]
    assert [each["external_id"] for each in answer(capsys, "deployments", "checkout")] == ["2", "1"]


def test_the_table_of_deployments_shows_the_same_and_obeys_nothing(shipped, capsys):
    assert main(["deployments"]) == 0
    shown = capsys.readouterr().out
    for words in ("[red]web\\x1b[2J", "rollback failed", "25%", "failed (defect)", "2023-11-14 22:14"):
        assert words in shown
    assert "\x1b" not in shown


def test_no_deployment_is_explained(database, capsys):
    assert main(["deployments"]) == 0
    assert "no deployment was ever told; CI sends them to the topic deployments" in capsys.readouterr().out
    assert main(["deployments", "mail\x07"]) == 0
    assert "no deployment of the service 'mail\\x07' was ever told" in capsys.readouterr().out
    assert answer(capsys, "deployments") == []


@pytest.mark.parametrize("limit", ["0", "1001", "-1"])
def test_a_limit_out_of_bounds_is_refused(database, limit, capsys):
    assert main(["deployments", f"--limit={limit}"]) == 78
    assert "it must be from 1 to 1000" in capsys.readouterr().err


def test_a_limit_that_is_no_number_is_refused(database, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["deployments", "--limit", "many"])
    assert ended.value.code == 2
