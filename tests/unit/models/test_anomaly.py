"""The general anomaly score: what it is for series of every kind, and that nothing makes it fail."""

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.events.samples import MAX_VALUE
from vigia.models.detectors.anomaly.scorer import AnomalyState, score, surprise_of
from vigia.models.detectors.anomaly.span import RECORD, Span
from vigia.models.detectors.anomaly.surprise import MEMORY, Tail

MINUTE = 60.0
DAY = 86_400.0


def scores(values, interval=5 * MINUTE, state=None, start=0.0):
    state = state or AnomalyState()
    return [score(state, start + index * interval, value) for index, value in enumerate(values)]


def noise(count, seed=1, level=100.0, spread=5.0):
    rng = random.Random(seed)
    return [rng.gauss(level, spread) for _ in range(count)]


def a_day_of(count, seed=1, swing=40.0):
    return [
        value + swing * math.sin(2 * math.pi * index * 5 * MINUTE / DAY)
        for index, value in enumerate(noise(count, seed))
    ]


def test_a_spike_scores_above_everything_usual():
    values = noise(2_000)
    values[1_500] = 200.0
    found = scores(values)
    assert found[1_500] > 0.99
    assert found[1_500] > max(found[300:1_500])


def test_a_new_level_is_found_within_an_hour_and_then_becomes_usual():
    values = noise(2_000) + noise(3_000, seed=2, level=130.0)
    found = scores(values)
    assert max(found[2_000:2_012]) > max(found[300:2_000])
    assert max(found[4_500:]) < 0.9


def test_a_daily_cycle_is_not_surprising_and_a_missing_peak_is():
    values = a_day_of(14 * 288)
    broken = list(values)
    for index in range(12 * 288 + 54, 12 * 288 + 90):  # three hours around the day's peak
        broken[index] = 100.0 + (values[index] - 100.0) * 0.1
    usual, found = scores(values), scores(broken)
    during = slice(12 * 288 + 54, 12 * 288 + 90)
    assert max(found[during]) > max(usual[4 * 288 :])


def test_a_restart_of_the_process_changes_nothing():
    values = a_day_of(1_500)
    whole = scores(values)
    state = AnomalyState()
    first = scores(values[:700], state=state)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=AnomalyState)
    assert first + scores(values[700:], state=state, start=700 * 5 * MINUTE) == whole


def test_a_constant_series_scores_nothing_until_it_moves():
    found = scores([7.0] * 1_000 + [8.0])
    assert max(found[20:1_000]) < 0.7
    assert found[-1] > 0.999


def test_a_value_that_is_no_number_is_unknown_and_teaches_nothing():
    values = noise(500)
    holed = [each for value in values for each in (value, math.nan)]
    state = AnomalyState()
    found = [score(state, (index // 2) * 300.0, value) for index, value in enumerate(holed)]
    assert found[0::2] == scores(values)
    assert set(found[1::2]) == {0.0}


def test_one_value_an_hour_is_enough():
    values = noise(24 * 30)
    values[-1] = 300.0
    assert scores(values, interval=3_600.0)[-1] > 0.99


@pytest.mark.parametrize("factor", [2.0**-100, 2.0**10, 2.0**200])
def test_the_unit_does_not_matter(factor):
    values = a_day_of(1_000)
    assert scores([value * factor for value in values]) == scores(values)


@given(
    st.lists(st.floats(min_value=-MAX_VALUE, max_value=MAX_VALUE) | st.sampled_from([math.nan, math.inf]), max_size=60),
    st.floats(min_value=0.0, max_value=4e9),
)
def test_nothing_that_a_sample_may_hold_makes_it_leave_its_range(values, start):
    state = AnomalyState()
    for index, value in enumerate(values):
        assert 0.0 <= score(state, start + 60.0 * (index % 7), value) <= 1.0
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=AnomalyState) == state


@pytest.mark.parametrize("wild", [1e5, 2.0**64, -1e6, MAX_VALUE])
@pytest.mark.parametrize("at", [0, 1, 2, 300])
def test_a_wild_value_is_surprising_and_teaches_nothing(wild, at):
    values = noise(600)
    odd, usual = AnomalyState(), AnomalyState()
    found = scores([*values[:at], wild, *values[at:]], state=odd)
    scores(values, state=usual)
    assert found[at] > 0.999 if at == 300 else found[at] == 0.0
    for field in ("short", "recent", "long", "magnitude", "usual"):
        assert getattr(odd, field) == pytest.approx(getattr(usual, field), rel=0.05)
    assert odd.spike.counts[20:] == usual.spike.counts[20:] == []
    if at == 300:
        assert odd.span == usual.span


@pytest.mark.parametrize("beyond", [1.0, -1.0])
def test_a_value_beyond_all_that_the_series_has_been_is_rarer_by_a_stated_factor(beyond):
    own, wider = AnomalyState(), AnomalyState()
    for state in (own, wider):
        scores(noise(600), state=state)
    low, high = own.span.low, own.span.high
    assert (low, high) == (min(noise(600)[1:]), max(noise(600)[1:]))
    wider.span = Span(-1e9, 1e9)
    value = (high if beyond > 0 else low) + beyond * 0.06 * (high - low)
    within = surprise_of(wider, 1e6, value)
    assert within is not None
    assert surprise_of(own, 1e6, value) == pytest.approx(within + RECORD)
    assert value in (own.span.low, own.span.high)
    assert surprise_of(own, 1e6, value) == surprise_of(wider, 1e6, value)


def test_wild_values_are_learned_once_they_repeat_however_far_they_are():
    state = AnomalyState()
    scores([*noise(600), *[1e12] * 40], state=state)
    assert state.short == pytest.approx(1e12, rel=0.01)
    assert state.magnitude > 1e9


def test_a_state_of_the_release_before_is_read():
    state = AnomalyState()
    scores(noise(600), state=state)
    older = msgspec.msgpack.encode(msgspec.to_builtins(state)[:-2])
    assert msgspec.msgpack.decode(older, type=AnomalyState) == msgspec.structs.replace(state, span=Span())


def test_a_score_uses_only_what_came_before():
    values = noise(600)
    assert scores(values)[:400] == scores(values[:400])


def test_the_state_stays_small():
    state = AnomalyState()
    scores(a_day_of(20_000), interval=MINUTE, state=state)
    assert len(msgspec.msgpack.encode(state)) < 2_000


def test_a_tail_forgets_by_halves():
    tail = Tail()
    for _ in range(MEMORY - 1):
        tail.surprise_of(1.0)
    tail.surprise_of(1_000.0)
    assert tail.total == (MEMORY - 1) // 2  # the one large figure is gone
    assert tail.surprise_of(1_000.0) > 4
