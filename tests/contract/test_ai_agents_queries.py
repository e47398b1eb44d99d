"""What is read of AI agents' counts, on every summaries' database: sums over pieces of a span, nothing outside it."""

from collections import Counter

import msgspec
import pytest

from tests.contract.summaries_rows import commit, take
from vigia.events.summaries import AIDecisionTally, AIDecisionTimes
from vigia.models.windows.sketch import Sketch
from vigia.stores.queries.ai_agents import ai_decision_tallies, ai_decision_times, last_ai_decision_day

DAY = 86_400
SUMS = ("decisions", "correct", "partly", "confidence", "squared_error")


def tally(day, agent="bot", judge="all", number=3, **fields):
    given = {"decisions": 5, "correct": 3, "partly": 1, "confidence": 4_000_000_000, "squared_error": 9} | fields
    return AIDecisionTally(start=day * DAY, agent=agent, decision_type="triage", bin=number, judge=judge, **given)


def times(day, agent="bot"):
    sketch = Sketch.of([1.0, 2.0]).encode()
    return AIDecisionTimes(start=day * DAY, agent=agent, decision_type="triage", count=2, total=3_000, sketch=sketch)


@pytest.fixture
def filled(summaries):
    """Twenty days of two agents."""
    rows = [
        tally(day, agent, judge, number, decisions=day + number + 2)
        for day in range(20)
        for agent in ("bot", "Bot")
        for judge in ("all", "person")
        for number in (-1, 3)
    ]
    commit(summaries, take(summaries), summaries=[*rows, *(times(day) for day in range(20)), times(4, "Bot")])
    return rows


@pytest.mark.parametrize(("since", "until", "piece"), [(0, 20, 20), (3, 17, 1), (3, 17, 4), (19, 40, 7)])
@pytest.mark.parametrize("agent", [None, "bot"])
def test_tallies_are_added_up_over_pieces(summaries, filled, since, until, piece, agent):
    expected: Counter[tuple[object, ...]] = Counter()
    for row in filled:
        day = row.start // DAY
        if since <= day < until and agent in {None, row.agent}:
            start = (since + (day - since) // piece * piece) * DAY
            for name in SUMS:
                expected[start, row.agent, row.decision_type, row.bin, row.judge, name] += getattr(row, name)
    found = ai_decision_tallies(summaries, since * DAY, until * DAY, piece * DAY, agent)
    assert expected == {
        (row.start, row.agent, row.decision_type, row.bin, row.judge, name): getattr(row, name)
        for row in found
        for name in SUMS
    }
    assert all(type(value) in {int, str} for row in found for value in msgspec.structs.astuple(row))


def test_tallies_of_one_judge_are_those_of_all_without_the_others(summaries, filled):
    found = ai_decision_tallies(summaries, 0, 20 * DAY, 7 * DAY)
    assert ai_decision_tallies(summaries, 0, 20 * DAY, 7 * DAY, judge="person") == [
        row for row in found if row.judge == "person"
    ]


def test_times_are_those_of_the_span(summaries, filled):
    assert ai_decision_times(summaries, 4 * DAY, 5 * DAY, "bot") == [times(4)]
    assert len(ai_decision_times(summaries, 4 * DAY, 6 * DAY)) == 3


def test_the_last_day_is_told(summaries, filled):
    assert last_ai_decision_day(summaries) == 19 * DAY
    assert last_ai_decision_day(summaries, "nobody") is None


def test_an_empty_database_has_empty_answers(summaries):
    assert ai_decision_tallies(summaries, 0, 9 * DAY, DAY) == []
    assert ai_decision_times(summaries, 0, 9 * DAY) == []
    assert last_ai_decision_day(summaries) is None


def test_sums_past_a_32_bit_number_are_exact(summaries):
    commit(summaries, take(summaries), summaries=[tally(day, confidence=2**61) for day in range(3)])
    (row,) = ai_decision_tallies(summaries, 0, 3 * DAY, 3 * DAY)
    assert row.confidence == 3 * 2**61
