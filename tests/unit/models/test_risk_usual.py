"""What is usual in a scope, and what is decided beside it: borders that leave out the stated share of either class."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.models.risk import usual
from vigia.models.risk.prior import load

probabilities = st.floats(min_value=1e-13, max_value=1 - 1e-13)


def fresh():
    return usual.new_usual(load())


def log_odds(probability):
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize("rarely", [0.05, 0.25])
def test_sets_leave_out_the_stated_share_of_either_class_without_any_outcome(rarely):
    random = np.random.default_rng(3)
    known, wrong = fresh(), dict[bool, list[bool]]({True: [], False: []})
    for number in range(6_000):
        probability = float(1 / (1 + np.exp(-random.normal(log_odds(rarely), 1.5))))
        failed = bool(random.random() < probability)
        answers = usual.decide(known, log_odds(probability), 100, 100)
        if number >= 2_000:
            wrong[failed].append(("fail" if failed else "ok") not in answers)
        usual.take(known, probability)
    assert abs(np.mean(wrong[True] + wrong[False]) - 0.1) < 0.02
    assert all(abs(np.mean(each) - 0.1) < 0.04 for each in wrong.values())


def test_the_borders_follow_what_is_deployed_at_once():
    random = np.random.default_rng(3)
    known, unusual = fresh(), []
    for level in (0.05, 0.5):
        for _ in range(1_000):
            probability = float(1 / (1 + np.exp(-random.normal(log_odds(level), 1.0))))
            unusual.append(usual.decide(known, log_odds(probability), 100, 100) == ("fail",))
            usual.take(known, probability)
    # within a thousand deployments the riskier ones are usual
    assert np.mean(unusual[1_000:1_100]) > np.mean(unusual[1_900:]) + 0.1


@given(st.lists(probabilities, max_size=40), probabilities, st.integers(0, 20), st.integers(0, 20))
def test_an_answer_is_excluded_only_after_enough_own_outcomes_of_its_class(past, now, failed, clean):
    known = fresh()
    for each in past:
        usual.take(known, each)
    answers = usual.decide(known, log_odds(now), failed, clean)
    assert answers
    assert "fail" in answers or failed >= 9
    assert "ok" in answers or clean >= 9
    assert 0 < known.mean < 1
    assert math.isfinite(known.low)
    assert math.isfinite(known.high)


def test_what_is_riskier_than_the_latest_ones_is_called_failing():
    known = fresh()
    for _ in range(2_000):
        usual.take(known, 0.04)
    assert [usual.called(known, each) for each in (0.02, 0.06)] == ["ok", "fail"]
    for _ in range(400):
        usual.take(known, 0.4)
    assert [usual.called(known, each) for each in (0.06, 0.5)] == ["ok", "fail"]
