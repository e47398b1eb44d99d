"""The running mean and spread of columns: what plain statistics over prior and changes say, whatever is not known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.models.risk.encoding import COLUMNS
from vigia.models.risk.scales import CLIP, Scales

PRIOR_MEAN, PRIOR_SPREAD, PRIOR_WEIGHT = 2.0, 0.5, 10

values = st.one_of(st.just(math.nan), st.floats(min_value=-50, max_value=50))


def fresh():
    whole = np.full(len(COLUMNS), float(PRIOR_WEIGHT))
    return Scales(whole.copy(), whole * 0 + PRIOR_MEAN, whole * PRIOR_SPREAD**2)


def column(value):
    return np.full(len(COLUMNS), value)


@given(st.lists(values, max_size=30), values)
def test_mean_and_spread_are_those_of_prior_and_changes_together(past, now):
    scales = fresh()
    for value in past:
        scales.observe(column(value))
    half = PRIOR_WEIGHT // 2
    known = [value for value in past if not math.isnan(value)]
    every = [PRIOR_MEAN - PRIOR_SPREAD] * half + [PRIOR_MEAN + PRIOR_SPREAD] * half + known
    expected = 0.0 if math.isnan(now) else (now - np.mean(every)) / np.std(every)
    assert scales.standard(column(now)) == pytest.approx(np.clip(column(expected), -CLIP, CLIP), abs=1e-9)


@given(st.lists(values, max_size=10), values)
def test_what_is_observed_is_returned_as_it_is_seen_afterwards(past, now):
    scales = fresh()
    for value in past:
        scales.observe(column(value))
    assert scales.observe(column(now)) == pytest.approx(scales.standard(column(now)), abs=1e-9)
