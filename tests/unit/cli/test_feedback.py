"""`vigia feedback`: what contradicts what, counted by sender, and who said too much."""

import json

import pytest

from tests.contract.summaries_rows import commit, take
from vigia.cli import main
from vigia.events.summaries import ContradictionSummary, SenderSurplusSummary
from vigia.stores.queries.contradictions import contradictions, contradictions_by_sender

DAY = 86_400
NOON = 20_000 * DAY + DAY // 2
SPAN = ("--since", "2024-10-04", "--until", "2024-10-05")


def row(number, **more):
    said = {
        "contradiction_id": f"{number:032x}",
        "record_key": "shop",
        "kind": "outcome",
        "source": "ci",
        "external_id": str(number),
        "service": "web",
        "label": "intervention",
        "sender": "ada",
        "said": "failed",
        "at": NOON + number,
        "other_sender": "shop-ci",
        "other": "succeeded",
        "other_at": float(NOON),
        "stands": "failed",
        "told_at": NOON + number,
    }
    return ContradictionSummary(**{**said, **more})


@pytest.fixture
def filled(summaries, url, monkeypatch):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    surplus = [
        SenderSurplusSummary(
            day=20_000 + day, counted_by="scope", record_key="shop", sender="[sender.ci]", a_day=5, surplus=day + 7
        )
        for day in range(3)
    ]
    rows = [
        row(1),
        row(2, sender="bot\x1b[2J", service="till"),
        row(3),
        row(4, kind="judgement", service="", source="bot", sender=""),
        row(5, told_at=float(NOON + 2 * DAY)),
    ]
    commit(summaries, take(summaries), summaries=[*rows, *surplus])
    return summaries


def answer(capsys, *words):
    assert main(["feedback", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("filled")
def test_contradictions_are_counted_by_sender_and_the_latest_listed(capsys):
    told = answer(capsys, *SPAN)
    assert told["by_sender"] == {"ada": 2, "": 1, "bot\x1b[2J": 1}
    assert [each["external_id"] for each in told["contradictions"]] == ["4", "3", "2", "1"]
    assert [each["surplus"] for each in told["surpluses"]] == [8, 7]
    assert [each["external_id"] for each in answer(capsys, *SPAN, "--limit", "1")["contradictions"]] == ["4"]
    assert answer(capsys, "web", *SPAN)["by_sender"] == {"ada": 2}
    assert answer(capsys, "--since", "2020-01-01", "--until", "2020-01-02")["contradictions"] == []


@pytest.mark.usefixtures("filled")
def test_the_tables_say_the_same_without_what_a_terminal_obeys(capsys):
    assert main(["feedback", *SPAN]) == 0
    shown = capsys.readouterr().out
    assert "2024-10-04 to 2024-10-05 (2 days)" in shown
    assert "bot\\x1b[2J" in shown
    assert "\x1b[2J" not in shown
    assert "Senders beyond their limits" in shown
    assert main(["feedback", "--since", "2020-01-01", "--until", "2020-01-02"]) == 0
    assert "none" in capsys.readouterr().out


def test_a_limit_beyond_reason_is_refused(capsys):
    assert main(["feedback", "--limit", "0"]) == 78
    assert "it must be from 1 to 1000" in capsys.readouterr().err


def test_the_queries_find_a_span_of_kafka_time(filled):
    assert [each.external_id for each in contradictions(filled, NOON + 2, NOON + 4)] == ["3", "2"]
    assert contradictions_by_sender(filled, NOON + 2, NOON + 4) == {"ada": 1, "bot\x1b[2J": 1}
