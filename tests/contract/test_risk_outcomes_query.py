"""Risk scores are counted by class, model and outcome, on every summaries' database: those of the question alone."""

from typing import Any

import pytest

from tests.contract.summaries_rows import NOON, commit, deployment, take
from vigia.events.dora_facts import Membership, Question
from vigia.stores.queries.risk_outcomes import RiskCount, risk_outcomes

DAY = 86_400.0
MODEL = "bayes-1/defect"


def asked(of="all", name="", **fields) -> Question:
    window = {"since": NOON, "until": NOON + DAY}
    given: dict[str, Any] = window | {"environments": ("production",), "attribution_window": DAY} | fields
    return Question(of=of, name=name, **given)


@pytest.fixture
def filled(summaries):
    """Scores of two teams, some with an outcome, one before the window, one at its end, one deployment without."""
    rows = [
        deployment("a", risk=0.0, model=MODEL, scope="one", service="web"),
        deployment("b", risk=0.049, model=MODEL, scope="one", service="web"),
        deployment("c", risk=0.25, model=MODEL, scope="two", outcome="failed", outcome_label="defect"),
        deployment("d", risk=1.0, model=MODEL, scope="two", outcome="succeeded", outcome_label="ci_status"),
        deployment("e", risk=0.5, model=MODEL, scope="one", planned_at=NOON - 1.0),
        deployment("f", risk=0.5, model=MODEL, scope="one", planned_at=NOON - 1.0, finished_at=NOON + DAY),
        deployment("g", risk=None, model="", scope="one"),
    ]
    commit(summaries, take(summaries), summaries=rows)


def test_scores_are_counted_by_class_and_outcome(summaries, filled):
    assert risk_outcomes(summaries, asked()) == [
        RiskCount(0, MODEL, "", "", 2, 0.049),
        RiskCount(5, MODEL, "failed", "defect", 1, 0.25),
        RiskCount(19, MODEL, "succeeded", "ci_status", 1, 1.0),
    ]


@pytest.mark.parametrize(
    ("question", "classes"),
    [
        (asked("team", "two"), [5, 19]),
        (asked("service", "web"), [0]),
        (asked("organisation", "x", memberships=(Membership("one"), Membership("two", until=NOON))), [0]),
        (asked("organisation", "x"), []),
        (asked(since=NOON - DAY, until=NOON), [10]),
    ],
)
def test_only_those_asked_for_count(summaries, filled, question, classes):
    assert [each.risk_class for each in risk_outcomes(summaries, question)] == classes


def test_an_empty_database_has_none(summaries):
    assert risk_outcomes(summaries, asked()) == []
