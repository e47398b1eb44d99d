"""Drift is found where there is some and seldom where there is none; expected accuracy is near the true one."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.isotonic import IsotonicRegression

from tests.unit.models.made_decisions import MIDNIGHT, made, rows_of
from vigia.models.telemetry.bins import BINS, bin_of
from vigia.models.telemetry.drift import accuracy_drift, confidence_drift
from vigia.models.telemetry.expected import Calibration, expected
from vigia.models.telemetry.figures import bin_counts, judged
from vigia.models.telemetry.state import DAY
from vigia.models.telemetry.tallies import Counts


def accuracy(counts):
    """Of the judged decisions; a function of no type, since there are some."""
    return judged(counts, "any").accuracy.value


def foretold(counts, pieces):
    return expected(counts, pieces).foretold


def counted(*args, **fields):
    return bin_counts(rows_of(made(*args, **fields).events)[0])


def test_the_statistic_is_that_of_scipy_on_the_bins():
    before, now = made(1, 300), made(2, 400, shape=(5.0, 2.0))
    found = confidence_drift(*(bin_counts(rows_of(each.events)[0]) for each in (before, now)))
    bins = [[bin_of(float(value)) for value in each.confidence] for each in (before, now)]
    reference = ks_2samp(*bins, method="asymp")
    assert found.change == pytest.approx(reference.statistic)
    # scipy rounds the effective size for another approximation of the same limit
    assert found.p_value == pytest.approx(reference.pvalue, abs=0.05)


def test_changes_that_matter_are_drift():
    before, now = counted(1, 600), counted(2, 600, shape=(3.0, 2.0), truth=lambda confidence: confidence**3)
    assert confidence_drift(before, now).drifted
    found = accuracy_drift(before, now)
    assert found.drifted
    assert found.change == accuracy(now) - accuracy(before) < -0.05


def test_without_a_change_there_is_seldom_drift():
    pairs = [(counted(2 * seed, 200), counted(2 * seed + 1, 200)) for seed in range(60)]
    assert sum(bool(confidence_drift(*pair).drifted) for pair in pairs) <= 2
    assert sum(bool(accuracy_drift(*pair).drifted) for pair in pairs) <= 2


def test_a_change_too_small_to_matter_is_none_however_certain():
    one = {"any": {10: Counts(100_000, 90_000)}, "all": {}}
    other = {"any": {10: Counts(100_000, 88_000)}, "all": {}}
    found = accuracy_drift(one, other)
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert found.drifted is False


def test_with_too_few_decisions_nothing_is_compared():
    found = confidence_drift(counted(1, 29), counted(2, 300))
    assert (found.n_before, found.n_now, found.change, found.p_value, found.drifted) == (29, 300, None, None, None)


def test_the_calibration_is_scikit_learns_isotonic_regression_over_the_bins():
    counts = counted(3, 800, truth=lambda confidence: confidence**2)["any"]
    known = sorted(counts)
    shares = [counts[number].correct / counts[number].decisions for number in known]
    reference = IsotonicRegression(out_of_bounds="clip")
    reference.fit(known, shares, sample_weight=[counts[number].decisions for number in known])
    calibration = Calibration(counts)
    found = [calibration.correct({number: 1}) for number in range(BINS)]
    assert found == pytest.approx(reference.predict(np.arange(BINS)))


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_without_labels_is_near_the_true_one_where_only_the_sure_ones_are_asked(seed):
    def overconfident(confidence):
        return confidence**2

    # feedback comes mostly on decisions of high confidence: what was judged is better than the rest
    found = made(seed, 6_000, truth=overconfident, asked=lambda confidence: confidence**4, shape=(3.0, 2.0))
    counts = bin_counts(rows_of(found.events)[0])
    truth = found.right[~found.judged].mean()
    figures = expected(counts, [counts])
    assert figures.value is not None
    assert figures.together is not None
    assert figures.n == (~found.judged).sum()
    assert abs(accuracy(counts) - truth) > 0.2
    assert abs(found.confidence[~found.judged].mean() - truth) > 0.1
    assert abs(figures.value - truth) < 0.04
    assert abs(figures.together - found.right.mean()) < 0.03


def test_its_error_is_measured_on_each_piece_from_those_before_it():
    found = made(4, 4_000, days=10, truth=lambda confidence: confidence**2)
    tallies, _ = rows_of(found.events)
    pieces = [bin_counts(row for row in tallies if row.start == MIDNIGHT + day * DAY) for day in range(10)]
    steady = foretold(bin_counts(tallies), pieces)
    assert steady.pieces == 9
    assert steady.n == sum(judged(piece, "any").accuracy.n for piece in pieces[1:])
    # nothing has changed over the days, so what is off is chance's
    assert 0.3 * steady.chance < steady.error < 2.0 * steady.chance
    turned = [*pieces[:9], counted(9, 400, truth=lambda confidence: np.zeros(len(confidence)))]
    assert foretold(bin_counts(tallies), turned).error > 1.5 * steady.error


def test_pieces_too_small_to_learn_from_alone_are_learned_from_together():
    piece = {"any": {15: Counts(20, 15)}, "all": {15: Counts(30)}}
    found = foretold(piece, [piece] * 10)
    # 20, 40, 60: the fourth is the first with 50 before it
    assert (found.pieces, found.n, found.error) == (7, 140, 0.0)


def test_too_few_judgements_foretell_nothing():
    counts = counted(1, 60, asked=lambda confidence: np.full(len(confidence), 0.5))
    found = expected(counts, [counts])
    assert found.n > 0
    assert (found.value, found.together, found.foretold) == (None, None, None)
