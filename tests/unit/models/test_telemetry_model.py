"""The telemetry model: what is counted equals a plain recomputation, whatever the order of decisions and feedback."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.ai_decisions import AIDecision
from vigia.events.feedback import DecisionFeedback
from vigia.events.figures import DECISIONS_UNJUDGED, JUDGEMENTS_WITHOUT_DECISION
from vigia.events.invalid import Reason
from vigia.events.summaries import AIDecisionSummary, AIDecisionTally, AIDecisionTimes
from vigia.models.telemetry import TelemetryModel
from vigia.models.telemetry.state import DAY, DecisionState, state_key
from vigia.models.telemetry.tallies import merged_rows
from vigia.models.windows.sketch import Sketch

ROUNDING = 2e-9
"""Of a sum of whole billionths, for each decision in it."""


def decided(number=1, agent="bot", at=START, kind="triage", **fields):
    return AIDecision(agent=agent, decision_id=str(number), decision_type=kind, decision="ok", at=at, **fields)


def judged(judgement, number=1, judge="person", at=START, agent="bot"):
    return DecisionFeedback(agent=agent, decision_id=str(number), judgement=judgement, judge=judge, at=at)


def lane_after(*events, model=None):
    return Lane(model or TelemetryModel()).run([Sent(event, START) for event in events])


def tallies(lane, judge="any"):
    """(decisions, correct, partly) over all days, types and bins."""
    rows = [row for row in lane.rows.values() if isinstance(row, AIDecisionTally) and row.judge == judge]
    return tuple(sum(getattr(row, name) for row in rows) for name in ("decisions", "correct", "partly"))


def test_a_decision_becomes_a_row_with_all_that_was_said():
    lane = lane_after(decided(confidence=0.9, execution_time=12.5, model_version="3", reference="d1"))
    assert [row for row in lane.rows.values() if isinstance(row, AIDecisionSummary)] == [
        AIDecisionSummary(
            agent="bot",
            decision_id="1",
            decision_type="triage",
            decision="ok",
            at=START,
            confidence=0.9,
            execution_time=12.5,
            model_version="3",
            reference="d1",
        )
    ]


def test_a_decision_is_counted_on_its_day_in_its_bin_and_its_time_in_microseconds():
    lane = lane_after(decided(at=3 * DAY + 5.0, confidence=0.9, execution_time=12.5))
    tally, times = (row for row in lane.rows.values() if not isinstance(row, AIDecisionSummary))
    assert tally == AIDecisionTally(
        start=3 * DAY,
        agent="bot",
        decision_type="triage",
        bin=17,
        judge="all",
        decisions=1,
        correct=0,
        partly=0,
        confidence=900_000_000,
        squared_error=0,
    )
    assert (times.start, times.count, times.total) == (3 * DAY, 1, 12_500)
    assert Sketch.decode(times.sketch) == Sketch.of([12.5])


def test_feedback_that_comes_first_waits_for_its_decision():
    assert tallies(lane_after(judged("correct"))) == (0, 0, 0)
    assert tallies(lane_after(judged("correct"), decided())) == (1, 1, 0)


def test_feedback_on_another_agents_decision_of_the_same_id_does_not_count():
    assert tallies(lane_after(decided(), judged("correct", agent="other"))) == (0, 0, 0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_corrected_feedback_replaces_the_earlier_one_whatever_comes_last(order):
    said = [judged("correct", at=START + 1), judged("incorrect", at=START + 2)]
    lane = lane_after(decided(), *(said[place] for place in order))
    assert tallies(lane, "person") == (1, 0, 0)


def test_people_and_outcomes_count_apart_and_together_with_a_persons_word_first():
    lane = lane_after(decided(), judged("partly", at=START - 9), judged("correct", judge="outcome"))
    assert tallies(lane, "person") == (1, 0, 1)
    assert tallies(lane, "outcome") == (1, 1, 0)
    assert tallies(lane, "any") == (1, 0, 1)
    assert tallies(lane, "both") == (1, 0, 0)


def test_a_decision_told_again_counts_once_and_with_other_content_is_refused():
    again, other = decided(confidence=0.5, event_id="2"), decided(confidence=0.6, event_id="3")
    lane = lane_after(decided(confidence=0.5), again, other, judged("correct"))
    assert tallies(lane, "all") == (1, 0, 0)
    assert tallies(lane) == (1, 1, 0)
    assert lane.rejections == [(2, Reason.CONFLICTING_ID)]


def test_what_nothing_is_heard_of_is_forgotten_and_counted():
    model = TelemetryModel(forget_after=100.0)
    lane = lane_after(decided(1), decided(2), judged("correct", 2), judged("correct", 3), model=model)
    lane.tick(START + 99.0)
    assert len(lane.states) == 3
    before = dict(lane.rows)
    lane.tick(START + 100.0)
    assert (lane.states, lane.timers, lane.rows) == ({}, {}, before)
    assert lane.counts == {DECISIONS_UNJUDGED: 1, JUDGEMENTS_WITHOUT_DECISION: 1}


def test_what_something_is_heard_of_is_kept_longer():
    lane = Lane(TelemetryModel(forget_after=100.0))
    lane.run([Sent(decided(), START), Tick(START + 99.0), Sent(judged("partly"), START + 99.0), Tick(START + 150.0)])
    assert list(lane.states) == [state_key("bot", "1")]


def test_a_state_of_another_schema_or_cut_short_is_refused():
    model = TelemetryModel()
    with pytest.raises(ValueError, match="schema 9"):
        model.load("decision:bot:1", 9, model.dump("decision:bot:1", DecisionState()))
    with pytest.raises(ValueError, match="not whole"):
        model.load("decision:bot:1", 1, b"\x81")


def test_a_correction_of_any_other_row_is_a_bug():
    row = next(iter(lane_after(decided()).rows.values()))
    with pytest.raises(TypeError, match="AIDecisionSummary by AIDecisionSummary"):
        merged_rows(row, row)


decisions = st.builds(
    decided,
    number=st.integers(1, 6),
    agent=st.sampled_from(["bot", "bot", "reviewer"]),
    at=st.sampled_from([START, START - DAY]),
    kind=st.just("triage"),
    confidence=st.none() | st.floats(0, 1),
    execution_time=st.none() | st.floats(0, 1e5),
)
feedback = st.builds(
    judged,
    judgement=st.sampled_from(["correct", "incorrect", "partly"]),
    number=st.integers(1, 7),
    judge=st.sampled_from(["person", "outcome"]),
    at=st.sampled_from([START + 1, START + 2, START + 3]),
    agent=st.sampled_from(["bot", "reviewer"]),
)


def recomputed(told, said):
    """The tallies, the plain way: each decision with the last word of each judge, the worse one of a tie."""
    worse = {"correct": 0, "partly": 1, "incorrect": 2}
    counts: Counter[tuple[object, ...]] = Counter()
    for event in told:
        about = [each for each in said if (each.agent, each.decision_id) == (event.agent, event.decision_id)]
        last = {
            judge: max((each.at, worse[each.judgement], each.judgement) for each in about if each.judge == judge)[2]
            for judge in {each.judge for each in about}
        }
        views = dict(last)
        if last:
            views["any"] = last.get("person") or last["outcome"]
        where = event.agent, int(event.at // DAY) * DAY
        counts[*where, "all", "decisions"] += 1
        counts[*where, "all", "confidence"] += event.confidence or 0.0  # type: ignore[assignment]
        for judge, judgement in views.items():
            right = judgement == "correct"
            counts[*where, judge, "decisions"] += 1
            counts[*where, judge, "correct"] += right
            counts[*where, judge, "partly"] += judgement == "partly"
            if event.confidence is not None:
                counts[*where, judge, "confidence"] += event.confidence
                counts[*where, judge, "squared_error"] += (event.confidence - right) ** 2
        if len(last) == 2:
            counts[*where, "both", "decisions"] += 1
            counts[*where, "both", "correct"] += last["person"] == last["outcome"]
    return counts


@given(told=st.lists(decisions, unique_by=lambda event: (event.agent, event.decision_id)), data=st.data())
def test_any_order_of_decisions_feedback_duplicates_and_corrections_gives_the_plain_recomputation(told, data):
    said = data.draw(st.lists(feedback, max_size=20))
    repeats = data.draw(st.lists(st.sampled_from([*told, *said]), max_size=5)) if told or said else []
    events = data.draw(st.permutations([*told, *said, *repeats]))
    cuts = data.draw(st.sets(st.integers(0, len(events))))
    lane = Lane(TelemetryModel()).run([Sent(event, START + 10) for event in events], cuts)
    found: Counter[tuple[object, ...]] = Counter()
    for row in lane.rows.values():
        if isinstance(row, AIDecisionTally):
            for name in ("decisions", "correct", "partly"):
                found[row.agent, row.start, row.judge, name] += getattr(row, name)
            for name in ("confidence", "squared_error"):
                found[row.agent, row.start, row.judge, name] += getattr(row, name) / 1e9
    expected = recomputed(told, said)
    for name in found.keys() | expected.keys():
        assert math.isclose(found[name], expected[name], abs_tol=ROUNDING * max(1, len(told))), name


@given(told=st.lists(decisions, unique_by=lambda event: (event.agent, event.decision_id)))
def test_execution_times_are_those_of_the_decisions_that_name_one(told):
    lane = Lane(TelemetryModel()).run([Sent(event, START) for event in told], range(len(told)))
    for agent in ("bot", "reviewer"):
        times = [each.execution_time for each in told if each.agent == agent and each.execution_time is not None]
        rows = [row for row in lane.rows.values() if isinstance(row, AIDecisionTimes) and row.agent == agent]
        merged = Sketch()
        for row in rows:
            merged = merged.merged(Sketch.decode(row.sketch))
        assert (sum(row.count for row in rows), merged) == (len(times), Sketch.of(times))
        assert math.isclose(sum(row.total for row in rows), sum(times) * 1_000, abs_tol=0.6 * len(times))
