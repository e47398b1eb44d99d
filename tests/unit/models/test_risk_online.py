"""The online model: calibrated by its scope's rate, explained exactly, and the same after a trip through the store."""

import copy
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigia.models.risk import online
from vigia.models.risk.catalog import FEATURES
from vigia.models.risk.features import columns

values = st.one_of(
    st.none(), st.floats(min_value=0, max_value=1e4), st.sampled_from([0.0, 1.0, 1e300, 1.7e308, 5e-324])
)
changes = st.builds(
    columns,
    st.lists(values, max_size=len(FEATURES)),
    st.floats(min_value=0, max_value=4e9),
)
lessons = st.lists(st.tuples(changes, st.booleans(), st.booleans()), max_size=30)


def taught(lessons):
    state = online.new_state()
    for change, failed, corrects in lessons:
        online.learn(state, change, failed=failed, corrects=corrects)
    return state


def change(la=10.0, nf=1.0, at=0.0):
    return columns([0.0, 1.0, 1.0, nf, 0.0, la], at)


@given(lessons, changes)
@settings(max_examples=200, deadline=None)
def test_base_and_contributions_add_up_to_the_log_odds_of_a_probability_between_0_and_1(past, now):
    said = online.score(taught(past), now)
    assert 0 < said.probability < 1
    assert all(map(math.isfinite, [said.base_log_odds, *said.contributions.values()]))
    log_odds = said.base_log_odds + sum(said.contributions.values())
    assert said.probability == 1 / (1 + math.exp(-log_odds))


@given(lessons, changes)
@settings(deadline=None)
def test_scoring_changes_nothing(past, now):
    state = taught(past)
    before = online.dump(state)
    first = online.score(state, now)
    assert online.dump(state) == before
    assert online.score(state, now) == first


@given(lessons, lessons, changes)
@settings(deadline=None)
def test_a_trip_through_the_store_changes_no_bit_of_what_follows(past, future, now):
    kept = taught(past)
    stored = online.load(online.dump(kept))
    assert stored == kept
    for each, failed, corrects in future:
        online.learn(kept, each, failed=failed, corrects=corrects)
        online.learn(stored, each, failed=failed, corrects=corrects)
    assert online.dump(stored) == online.dump(kept)
    assert online.score(stored, now) == online.score(kept, now)


def test_states_share_nothing():
    first, second = online.new_state(), online.new_state()
    online.learn(first, change(), failed=True)
    assert second == online.new_state()
    assert online.score(second, change()) == online.score(online.new_state(), change())


def test_a_new_scope_says_its_prior_and_ranks_by_lines_added():
    small, large = (online.score(online.new_state(), change(la=la)).probability for la in (1.0, 1_000.0))
    assert small < 0.15 < large


def test_what_fails_becomes_risky():
    state = online.new_state()
    for turn in range(300):
        fails = turn % 5 == 0
        online.learn(state, change(nf=30.0 if fails else 1.0, at=turn * 3600.0), failed=fails)
    risky, safe = (online.score(state, change(nf=nf)).probability for nf in (30.0, 1.0))
    assert risky > 2 * safe
    assert online.score(state, change(nf=30.0)).contributions["nf"] > 0


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
def test_weighting_the_classes_does_not_distort_the_probability(rate):
    state = online.new_state()
    for turn in range(2_000):
        fails = (turn * 0.618034) % 1 < rate
        online.learn(state, change(), failed=fails)
    assert online.score(state, change()).probability == pytest.approx(rate, abs=0.03)


def test_a_feature_that_is_missing_pushes_only_by_its_indicator():
    said = online.score(taught([(change(), True, False)]), columns((), 0.0))
    assert "la" not in said.contributions
    assert "la_missing" in said.contributions


def test_a_correction_moves_the_counts_and_teaches():
    state = taught([(change(), False, False)] * 3)
    before = copy.deepcopy(state)
    online.learn(state, change(), failed=True, corrects=True)
    assert (state.failed, state.clean, state.learned) == (1, 2, 4)
    assert state.means == before.means
    assert online.score(state, change()).probability > online.score(before, change()).probability


def test_one_absurd_change_does_not_decide():
    state = online.new_state()
    for turn in range(200):
        online.learn(state, change(la=float(turn % 40)), failed=turn % 4 == 0)
    before = online.score(state, change()).probability
    online.learn(state, change(la=1.7e308), failed=False)
    assert online.score(state, change()).probability == pytest.approx(before, abs=0.05)


def test_a_column_far_out_counts_as_one_at_the_limit():
    state = online.new_state()
    pushes = [online.score(state, change(la=la)).contributions["la"] for la in (1e100, 1.7e308)]
    assert pushes == [online.COLUMN_LIMIT * state.weights["la"]] * 2


@pytest.mark.parametrize("intercept", [-1e9, -40.0, 0.0, 40.0, 1e9])
@pytest.mark.parametrize("weight", [-1e9, 1e9])
def test_even_absurd_weights_leave_the_probability_between_0_and_1_and_explained(intercept, weight):
    state = online.new_state()
    state.intercept = intercept
    state.weights["la"] = weight
    said = online.score(state, change(la=1e9))
    assert 0 < said.probability < 1
    assert abs(said.log_odds) == pytest.approx(online.LOG_ODDS_LIMIT)
    assert said.probability == 1 / (1 + math.exp(-said.log_odds))


def test_a_state_of_another_schema_or_cut_short_is_refused():
    body = online.dump(online.new_state())
    with pytest.raises(ValueError, match="not a stored risk model"):
        online.load(body[:-5])
    with pytest.raises(ValueError, match="not a stored risk model"):
        online.load(b"")
    other = msgspec.msgpack.decode(body)
    with pytest.raises(ValueError, match="schema 99"):
        online.load(msgspec.msgpack.encode([99, *other[1:]]))


def test_a_state_with_vectors_of_unequal_length_is_refused():
    stored = msgspec.msgpack.decode(online.dump(online.new_state()))
    stored[3] = stored[3][:-1]
    with pytest.raises(ValueError, match="not a stored risk model"):
        online.load(msgspec.msgpack.encode(stored))


def test_a_state_from_before_a_feature_was_added_starts_it_at_its_prior():
    stored = msgspec.msgpack.decode(online.dump(taught([(change(), True, False)])))
    for vector in stored[1:7]:
        del vector[5]
    state = online.load(msgspec.msgpack.encode(stored))
    assert state.means.keys() == online.new_state().means.keys()
    assert 0 < online.score(online.load(online.dump(state)), change()).probability < 1


def test_the_stored_state_is_small():
    assert len(online.dump(taught([(change(), True, False)] * 50))) < 4_000
