"""The page shows what was counted, says why where there is nothing, and nothing in it is obeyed or asked for."""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from scripts import report
from scripts.reporting.markup import element, text
from scripts.reporting.plot import ticks
from scripts.reporting.risk import groups, is_judged
from tests.contract.summaries_rows import commit, deployment, problem, take
from tests.unit.models.laws import Lane, Sent
from tests.unit.models.made_decisions import made, rows_of
from vigia.events.samples import Sample
from vigia.events.summaries import DeliverySummary, IncidentSummary, ProblemSummary
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.stores.queries.risk_outcomes import RiskCount

DAY = 86_400.0
NOW = 1_700_000_000.0
"""Noon and a bit on 2023-11-14."""
SPAN = ["--since", "2023-11-01", "--until", "2023-11-14"]
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x1b[2J"


@pytest.fixture
def made_page(url, summaries, monkeypatch, tmp_path):
    """Write the page, and return it."""
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)

    def make(*arguments, name="page.html"):
        path = tmp_path / name
        assert report.main(["--out", str(path), *(arguments or SPAN)], now=lambda: NOW) == 0
        return path.read_text(encoding="utf-8")

    return make


def delivery(number, day, **fields):
    at = NOW - day * DAY
    given = {
        "deployment_id": f"{number:032x}",
        "scope": "payments",
        "service": "checkout",
        "environment": "production",
        "at": at,
        "day": int(at // DAY),
        "exposed_at": at,
        "excluded": "",
        "intervention": None,
        "listed": 0,
        "exposed_day": int(at // DAY),
    }
    return DeliverySummary(**given | fields)


def lane_figures():
    """What workers tell of the lane that scores deployments."""
    lane = Lane(MetricsModel(MetricsConfig()), reload=False)
    for minute in range(9):
        at = NOW - 3_600 + 60 * minute
        for name in ("stream_step_duration", "stream_oldest_age"):
            labels = {"lane": "deployments/0"}
            told = Sample(service="vigia", metric=name, unit="s", ts=at, value=0.2, labels=labels)
            lane.run([Sent(told, at)])
    return [row for row in lane.rows.values() if not isinstance(row, ProblemSummary)]


def filled(summaries, name="checkout", team="payments"):
    """A fortnight of a service: deployments, an incident, scores with outcomes, an AI agent, lanes and problems."""
    tallies, times = rows_of(made(1, 120, days=10).events)
    agents = [msgspec.structs.replace(row, agent=name, decision_type=name) for row in (*tallies, *times)]
    scored = [
        deployment(
            f"{name}{number}",
            service=name,
            scope=team,
            environment=name,
            planned_at=NOW - DAY,
            risk=number / 40,
            model="bayes-1/intervention",
            outcome="failed" if number % 4 == 0 else "succeeded",
            outcome_label="intervention" if number else "defect",
        )
        for number in range(40)
    ]
    incident = IncidentSummary(
        incident_id="1" * 32,
        source="pager",
        external_id="1",
        scope=team,
        service=name,
        environment="production",
        severity="P1",
        title=name,
        opened_at=NOW - 3 * DAY + 60,
        resolved_at=NOW - 3 * DAY + 3660,
    )
    own = [
        *(delivery(number, number % 10 + 0.2, service=name, scope=team) for number in range(20)),
        delivery(99, 2.0, environment=name, service=name, scope=team),
        incident,
        *lane_figures(),
        *scored,
        problem("open", service=name, environment=name, detector=name, why=name),
        problem("over", status="resolved", why="it is over"),
    ]
    commit(summaries, take(summaries), summaries=[*own, *agents])


class Reader(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, content):
        super().__init__()
        self.elements = []
        self.words = []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_shows_deliveries_risk_lanes_agents_and_open_problems(summaries, made_page):
    filled(summaries)
    shown = "".join(Reader(made_page()).words)
    for words in (
        "20 deployments to production, of which  1 failed; above them  1 that are left out",
        "1 of 20 deployments",
        "40 deployments were scored, 39 have an outcome of the kind that was scored, 1 one of another kind",
        "lane=deployments/0",
        "checkout, checkout",
        "Open problems",
        "in another environment than production",
    ):
        assert words in shown
    assert "it is over" not in shown


def test_every_picture_has_words_and_a_table(summaries, made_page):
    filled(summaries)
    found = Reader(made_page())
    pictures = [attributes for tag, attributes in found.elements if tag == "svg"]
    assert all(each["role"] == "img" and each["aria-label"] for each in pictures)
    tables = sum(tag == "table" for tag, _ in found.elements)
    assert tables >= len(pictures) >= 8


def test_names_of_senders_are_shown_and_never_obeyed(summaries, made_page):
    filled(summaries, name=HOSTILE, team=HOSTILE)
    page = made_page(*SPAN, "--team", HOSTILE, "--environment", HOSTILE, "--environment", "production")
    found = Reader(page)
    assert {tag for tag, _ in found.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    assert not any(name.startswith("on") or name == "style" for _, attributes in found.elements for name in attributes)
    assert "<script>alert(1)</script>" in "".join(found.words)
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_the_page_asks_nothing_of_any_network(summaries, made_page):
    filled(summaries)
    page = made_page()
    found = Reader(page)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|javascript:", page.replace("<!doctype html>", ""))
    assert all(
        attributes.get("href", "#").startswith("#") and "src" not in attributes for _, attributes in found.elements
    )
    policies = [each["content"] for tag, each in found.elements if each.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; style-src 'sha256-")


def test_the_same_data_and_time_make_the_same_page(summaries, made_page):
    filled(summaries)
    assert made_page(name="one.html") == made_page(name="two.html")


def test_an_empty_database_says_of_each_picture_why_there_is_none(made_page):
    page = made_page()
    assert "<svg" not in page
    shown = "".join(Reader(page).words)
    for words in (
        "Why is this empty?",
        "no deployment of anybody to production was ever told to have succeeded",
        "No deployment in this span has a risk score",
        "No sample of the service 'vigia' has ever come in",
        "No decision of any AI agent has ever come in",
        "No problem is open",
    ):
        assert words in shown
    figures = page.count("<figure")
    assert figures >= 10
    assert page.count('class="empty"') >= figures


def test_scores_without_outcomes_say_so(summaries, made_page):
    commit(summaries, take(summaries), summaries=[deployment("a", planned_at=NOW - DAY)])
    assert "1 deployments were scored, and of none an outcome of the scored kind is known" in made_page()


def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left(summaries, url, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    assert report.main(["--out", str(tmp_path / "none" / "page.html"), *SPAN]) == 78
    assert "cannot be written" in capsys.readouterr().err
    (tmp_path / "folder").mkdir()
    assert report.main(["--out", str(tmp_path / "folder"), *SPAN]) == 78
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_an_organisation_that_the_catalog_does_not_know_is_refused(summaries, url, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    assert report.main(["--out", str(tmp_path / "page.html"), "--organisation", "shops", *SPAN]) == 78
    assert "did you mean 'shop'?" in capsys.readouterr().err


def test_an_outcome_of_another_kind_says_nothing_of_the_score():
    same = RiskCount(3, "bayes-1/defect", "failed", "defect", 2, 0.3)
    assert is_judged(same)
    assert not is_judged(msgspec.structs.replace(same, outcome_label="ci_status"))
    assert not is_judged(msgspec.structs.replace(same, outcome="", outcome_label=""))


def test_groups_of_risk_add_up_their_classes():
    counts = [
        RiskCount(0, "m/defect", "failed", "defect", 1, 0.02),
        RiskCount(1, "m/defect", "succeeded", "defect", 3, 0.22),
        RiskCount(19, "m/defect", "failed", "defect", 2, 1.98),
    ]
    first, last = groups(counts)
    assert (first.low, first.n, first.failed) == (0.0, 4, 1)
    assert first.risk == pytest.approx(0.06)
    assert (last.low, last.n, last.share) == (0.9, 2, 1.0)
    assert last.risk == pytest.approx(0.99)
    assert last.interval[0] < 1.0


@pytest.mark.parametrize("top", [1e-9, 0.07, 0.3, 1.0, 3.0, 9.99, 123.0, 7e9])
def test_ticks_reach_the_top_and_are_few(top):
    made_ticks = ticks(top)
    assert made_ticks[0] == 0.0
    assert made_ticks[-2] < top <= made_ticks[-1] * (1 + 1e-9)
    assert len(made_ticks) <= 6


def test_attributes_are_escaped_too():
    assert element("p", title='"><b>') == '<p title="&quot;&gt;&lt;b&gt;"></p>'
    assert text("\ud800") == "\\ud800"


def test_tallies_of_an_agent_of_any_name_are_shown_as_they_are(summaries, made_page):
    tallies, _ = rows_of(made(1, 30).events)
    rows = [msgspec.structs.replace(row, agent="vigia.risk") for row in tallies]
    commit(summaries, take(summaries), summaries=rows)
    assert "vigia.risk, triage" in "".join(Reader(made_page()).words)
