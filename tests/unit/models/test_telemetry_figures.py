"""The figures equal those of scikit-learn and numpy on the same decisions; their intervals cover what they should."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss

from tests.unit.models.laws import START
from tests.unit.models.made_decisions import made, rows_of
from vigia.events.feedback import DecisionFeedback, Judgement
from vigia.models.intervals import wilson
from vigia.models.telemetry.figures import Share, bin_counts, execution_time, judged
from vigia.models.telemetry.report import Targets, agent_reports
from vigia.models.windows.buckets import RELATIVE_ERROR

ROUNDING = 2e-9
TARGETS = Targets(accuracy=0.85, feedback=0.3)


def within(share, interval):
    return interval[0] <= share <= interval[1]


@pytest.mark.parametrize("seed", range(4))
def test_accuracy_brier_and_reliability_are_scikit_learns(seed):
    found = made(seed, 2_000, days=3, truth=lambda confidence: confidence**2)
    tallies, _ = rows_of(found.events)
    figures = judged(bin_counts(tallies), "any")
    right, confidence = found.right[found.judged], found.confidence[found.judged]
    assert figures.accuracy.value == accuracy_score(right, np.ones(len(right), dtype=bool))
    assert figures.brier == pytest.approx(brier_score_loss(right, confidence), abs=ROUNDING)
    share_right, mean_confidence = calibration_curve(right, confidence, n_bins=5, strategy="uniform")
    known = [each for each in figures.buckets if each.accuracy.n]
    assert [each.accuracy.value for each in known] == pytest.approx(share_right)
    assert [each.confidence for each in known] == pytest.approx(mean_confidence, abs=ROUNDING)
    sizes = np.histogram(confidence, bins=np.linspace(0, 1, 6))[0]
    assert [each.accuracy.n for each in figures.buckets] == list(sizes)
    error = np.sum(sizes[sizes > 0] * np.abs(share_right - mean_confidence)) / len(right)
    assert figures.calibration_error == pytest.approx(error, abs=ROUNDING)


def test_execution_times_are_numpys_within_the_sketchs_error():
    found = made(7, 3_000, days=5)
    _, times = rows_of(found.events)
    took = execution_time(times)
    assert took.n == 3_000
    assert took.mean == pytest.approx(found.milliseconds.mean(), rel=1e-5)
    for q, value in ((50, took.p50), (95, took.p95), (99, took.p99)):
        exact = np.percentile(found.milliseconds, q, method="lower")
        assert value == pytest.approx(exact, rel=RELATIVE_ERROR)


def test_partly_is_not_correct_and_shown_apart():
    found = made(1, 10, asked=lambda confidence: np.zeros(len(confidence)))
    words: list[Judgement] = ["correct", "partly", "partly", "incorrect"]
    said = [
        DecisionFeedback(agent="bot", decision_id=f"0-{number}", judgement=word, judge="outcome", at=START)
        for number, word in enumerate(words)
    ]
    (report,) = agent_reports(rows_of([*found.events, *said])[0], [], [], [], TARGETS)
    assert (report.together.accuracy.n, report.together.accuracy.count, report.together.partly) == (4, 1, 2)
    assert (report.feedback.value, report.feedback_target) == (0.4, "unclear")
    assert (report.people.accuracy.value, report.outcomes.accuracy.value) == (None, 0.25)


@pytest.mark.parametrize("share", [0.5, 0.85, 0.95])
@pytest.mark.parametrize("n", [20, 50, 400])
def test_the_interval_covers_the_true_share_about_as_often_as_it_says(share, n):
    counts = np.random.default_rng(n).binomial(n, share, 4_000)
    intervals = {count: wilson(int(count), n) for count in set(counts.tolist())}
    covered = np.mean([within(share, intervals[count]) for count in counts.tolist()])
    # Wilson's interval lies near its 95 % on either side, by steps since counts are whole
    assert 0.92 <= covered <= 0.99


def test_the_interval_of_the_measured_accuracy_covers_the_true_one():
    covered = 0
    for seed in range(60):
        found = made(seed, 120, truth=lambda confidence: np.full(len(confidence), 0.8))
        covered += within(0.8, judged(bin_counts(rows_of(found.events)[0]), "any").accuracy.interval)
    assert covered >= 52  # 57 expected; fewer than 52 has a probability of 0.5 %


def test_a_target_is_met_or_missed_only_when_the_interval_says_so():
    assert Share.of(87, 100).against(0.85) == "unclear"
    assert Share.of(8_700, 10_000).against(0.85) == "met"
    assert Share.of(8_300, 10_000).against(0.85) == "missed"


def test_what_is_missing_says_what_it_needs():
    tallies, times = rows_of(made(1, 5, asked=lambda confidence: np.zeros(len(confidence))).events)
    (report,) = agent_reports(tallies, [], [], times, TARGETS)
    assert report.together.accuracy.value is report.together.brier is report.together.calibration_error is None
    assert report.accuracy_target == "unknown"
    assert report.why == {
        "accuracy": "none of these decisions has feedback",
        "calibration": "none with a confidence has feedback",
        "agreement": "no decision was judged by a person and by an outcome",
        "confidence_drift": "it needs 30 decisions with a confidence in each span: there are 0 in the span "
        "before and 5 in this one",
        "accuracy_drift": "it needs 30 judged decisions in each span: there are 0 in the span before and 0 in this one",
        "expected_accuracy": "it needs 50 judged decisions with a confidence to calibrate by",
    }
    assert math.isclose(report.execution_time.n, 5)
    (timeless,) = agent_reports(tallies, [], [], [], TARGETS)
    assert timeless.why["execution_time"] == "none of these decisions names its execution time"
