"""The live view shows everything that the issue names, at every size, and never more than fits."""

import doctest
from dataclasses import replace

import msgspec
import pytest
from rich.console import Console

from vigia.cli.run import tables
from vigia.cli.run.live import line
from vigia.cli.run.picture import Picture, Rates
from vigia.cli.run.supervisor import WorkerStatus
from vigia.cli.run.view import draw
from vigia.events.summaries import DeploymentSummary, ProblemSummary, ProposalSummary

NOW = 1_700_000_000.0


def deployment(number, **fields):
    row = {
        "deployment_id": str(number),
        "source": "ci",
        "external_id": f"ext-{number}",
        "scope": "payments",
        "service": f"service-{number}",
        "environment": "production",
        "version": f"v{number}",
        "stage": "finished",
        "status": "succeeded",
        "planned_at": None,
        "started_at": None,
        "finished_at": NOW - number,
        "risk": 0.625,
        "model": "m",
        "outcome": "",
        "outcome_label": "",
        "outcome_at": None,
        "commits": 1,
    }
    return DeploymentSummary(**{**row, **fields})


PROBLEM = ProblemSummary(
    problem_id="p",
    service="checkout",
    environment="production",
    series_id="s",
    metric="error_rate",
    detector="high_error_rate",
    severity="P2",
    status="open",
    opened_at=NOW,
    at=NOW,
    why="the error rate is high",
    version=1,
)
PROPOSAL = ProposalSummary(
    proposal_id="p",
    problem_id="p",
    service="checkout",
    environment="production",
    action="rollback",
    severity="P2",
    status="proposed",
    at=NOW,
    expires_at=NOW + 3_599,
    why="w",
    version=1,
)


@pytest.fixture
def picture():
    return Picture(
        mode="embedded broker",
        run_id="3f2a91",
        now=NOW,
        seconds=83.0,
        figures={"metrics.in": 12_345, "metrics.applied": 12_344, "metrics.invalid": 1, "windows_closed": 77},
        rates={"metrics": 8.2},
        lags={"metrics": 1_203},
        deployments=[deployment(1), deployment(2, outcome="failed", risk=None)],
        problems=[PROBLEM],
        proposals=[PROPOSAL],
        dead_letters={"not_json": 3, "future": 12},
        workers=[WorkerStatus(1, "running", 4242, 2, 63.0, "exit code 70")],
        places={"logs": ".vigia/log", "data": ".vigia"},
    )


def shown(picture, width, height):
    console = Console(width=width, height=height, color_system=None)
    lines = console.render_lines(draw(picture, width, height), console.options.update(height=height))
    return ["".join(segment.text for segment in line) for line in lines]


SIZES = [(80, 24), (100, 60), (160, 45), (200, 24)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_everything_has_its_place_at_every_size(picture, width, height):
    text = "\n".join(shown(picture, width, height))
    for word in (
        "embedded broker",
        "3f2a91",
        "8 events/s",
        "1,203 behind",
        "12,345",
        "windows closed 77",
        "service-1",
        "payments",
        "62.5%",
        "failed",
        "the error rate is high",
        "rollback",
        "59m59s",
        "not_json",
        "4242",
        ".vigia/log",
    ):
        assert word in text


@pytest.mark.parametrize(("width", "height"), [*SIZES, (60, 15), (30, 8), (10, 3)])
def test_it_fills_the_terminal_and_no_more(picture, width, height):
    crowded = replace(
        picture,
        deployments=[deployment(number, service="x" * 190) for number in range(50)],
        problems=[PROBLEM] * 50,
        proposals=[PROPOSAL] * 50,
        dead_letters={f"reason_{number}": 10**9 for number in range(50)},
        workers=[WorkerStatus(number, "running", number, 0, 1.0, "") for number in range(1, 9)],
    )
    lines = shown(crowded, width, height)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


def test_a_proposal_says_which_deployment_came_before_its_problem(picture):
    told = msgspec.structs.replace(PROPOSAL, after="12 min after checkout 7 was deployed")
    text = "\n".join(shown(replace(picture, proposals=[told]), 100, 60))
    assert "rollback, 12 min after checkout 7 was deployed" in text


def test_what_does_not_fit_is_counted_in_the_title(picture):
    text = "\n".join(shown(replace(picture, problems=[PROBLEM] * 7), 80, 24))
    assert "Open problems (1 of 7)" in text


def test_names_that_look_like_markup_are_shown_as_they_are(picture):
    text = "\n".join(shown(replace(picture, deployments=[deployment(1, service="[red]x[/red]")]), 160, 45))
    assert "[red]x[/red]" in text


def test_nothing_yet_is_said_and_not_left_blank():
    text = "\n".join(shown(Picture(mode="m", run_id="r", now=NOW, seconds=0.0), 80, 24))
    assert text.count("none") >= 4


def test_a_history_that_is_played_back_gets_half_of_the_room(picture):
    new = [deployment(number, service="new") for number in range(40)]
    old = [deployment(number, service="old", version="", finished_at=1.3e9) for number in range(40)]
    text = "\n".join(shown(replace(picture, deployments=new, history=old), 80, 24))
    assert text.count("new ") == text.count("old ") >= 3
    assert "ext-0" in text


def test_a_notice_takes_the_last_line(picture):
    assert "worker 1 ended" in shown(replace(picture, notice="worker 1 ended: signal 9"), 80, 24)[-1]


def test_without_a_terminal_a_picture_is_one_line(picture):
    text = line(replace(picture, notice="first\nsecond"))
    assert "\n" not in text
    for word in (
        "12,345 events in (8/s)",
        "1,203 behind",
        "77 windows closed",
        "2 restarts",
        "15 dead letters",
        "first",
    ):
        assert word in text


class TestRates:
    def test_a_rate_covers_the_last_five_seconds(self):
        rates = Rates()
        growing = [rates.observe(float(second), {"metrics.in": 100 * second}) for second in range(20)]
        assert growing[-1]["metrics"] == pytest.approx(100.0)
        still = [rates.observe(float(second), {"metrics.in": 1_900}) for second in range(20, 26)]
        assert [rates["metrics"] > 0 for rates in still] == [True] * 4 + [False] * 2

    def test_the_first_look_knows_no_rate(self):
        assert set(Rates().observe(1.0, {"metrics.in": 100}).values()) == {0.0}


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(tables).failed == 0
