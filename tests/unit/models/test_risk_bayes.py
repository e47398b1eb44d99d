"""The Bayesian risk model: an exact sum, finite whatever comes, honest about late labels, the same after a restart."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigia.models.risk import bayes, prior, storage
from vigia.models.risk.catalog import NAMES
from vigia.models.risk.encoding import COLUMNS, encode
from vigia.models.risk.explanation import explain

numbers = st.one_of(
    st.none(),
    st.floats(min_value=0, max_value=1e5),
    st.sampled_from([0.0, 1.0, -3.0, 1e300, math.inf, -math.inf, math.nan, 5e-324]),
)
changes = st.lists(numbers, min_size=len(NAMES), max_size=len(NAMES))
histories = st.lists(st.tuples(changes, st.booleans(), st.booleans()), max_size=25)
"""A change, whether it failed, and whether it was called clean before."""


RECORDED = NAMES[:14]


def change(**known):
    return [float(known.get(name, 1.0)) for name in RECORDED]


def fresh():
    return bayes.new_state(prior.load())


def teach(state, history):
    for values, failed, was_clean in history:
        row = encode(values)
        raw = bayes.score(state, row).raw
        lesson = bayes.learn(state, row, raw, failed=failed and not was_clean)
        if failed and was_clean:
            bayes.learn(state, row, raw, failed=True, earlier=lesson)
    return state


@given(histories, changes)
@settings(max_examples=60, deadline=None)
def test_base_and_contributions_add_up_and_all_is_finite(past, now):
    state = teach(fresh(), past)
    said = bayes.score(state, encode(now))
    assert 0 < said.low <= said.probability <= said.high < 1
    pushes = explain(said, now)
    assert said.base + sum(push.log_odds for push in pushes) == pytest.approx(said.log_odds, abs=1e-9)
    assert said.probability == pytest.approx(1 / (1 + math.exp(-said.log_odds)))
    assert {push.feature for push in pushes} == {column.feature for column in COLUMNS}
    assert np.isfinite(state.mean).all()
    assert np.isfinite(state.covariance).all()
    assert (np.linalg.eigvalsh(state.covariance) > 0).all()
    assert (state.variances > 0).all()


@given(histories, histories, changes)
@settings(max_examples=40, deadline=None)
def test_a_restart_in_mid_stream_changes_no_bit(past, future, now):
    kept = teach(fresh(), past)
    stored = storage.dump(kept)
    restarted = storage.load(stored)
    assert storage.dump(restarted) == stored
    assert storage.dump(teach(restarted, future)) == storage.dump(teach(kept, future))
    assert bayes.score(restarted, encode(now)).probability == bayes.score(kept, encode(now)).probability


@given(histories, changes)
@settings(max_examples=40, deadline=None)
def test_scoring_changes_nothing(past, now):
    state = teach(fresh(), past)
    before = storage.dump(state)
    bayes.score(state, encode(now))
    assert storage.dump(state) == before


def test_a_constant_feature_stays_finite_and_teaches_the_level():
    state = teach(fresh(), [(change(), True, False)] * 300)
    assert bayes.score(state, encode(change())).probability > bayes.score(fresh(), encode(change())).probability


def test_what_is_not_known_pushes_nowhere():
    state = teach(fresh(), [(change(la=number), number > 50, False) for number in range(100)])
    said = bayes.score(state, encode([None] * len(NAMES)))
    pushes = {push.feature: push.log_odds for push in explain(said, [None] * len(NAMES))}
    assert {name for name, push in pushes.items() if push} <= {"missing"}
    assert said.base + pushes["missing"] == pytest.approx(said.log_odds)
    assert not np.isnan(said.contributions).any()


def test_a_change_of_the_same_kind_as_those_that_failed_is_riskier():
    past = [(change(la=400, nf=20), True, False), (change(la=2), False, False)] * 100
    state = teach(fresh(), past)
    large, small = (bayes.score(state, encode(each)).probability for each in (change(la=400, nf=20), change(la=2)))
    assert large > 0.7
    assert small < 0.2


def test_a_failure_found_after_clean_is_learned_as_the_difference():
    row = encode(change(la=90))
    state = fresh()
    raw = bayes.score(state, row).raw
    before = bayes.score(state, row).probability
    lesson = bayes.learn(state, row, raw, failed=False)
    assert bayes.score(state, row).probability < before
    assert 0.0 < lesson.target < bayes.LATE
    corrected = bayes.learn(state, row, raw, failed=True, earlier=lesson)
    large = bayes.score(state, row).probability
    direct = fresh()
    bayes.learn(direct, row, raw, failed=True)
    # to first order the order of labels does not matter
    assert large == pytest.approx(bayes.score(direct, row).probability, abs=0.01)
    assert corrected.target == 1.0
    assert state.borders.high == pytest.approx(direct.borders.high)
    assert state.borders.threshold == pytest.approx(direct.borders.threshold)


def test_a_failure_stands_and_a_repeat_teaches_nothing():
    row = encode(change())
    state = fresh()
    lesson = bayes.learn(state, row, -1.0, failed=True)
    before = storage.dump(state)
    assert bayes.learn(state, row, -1.0, failed=False, earlier=lesson) == lesson
    assert bayes.learn(state, row, -1.0, failed=True, earlier=lesson) == lesson
    assert storage.dump(state) == before


def test_scopes_do_not_share_what_they_learn():
    taught, other = fresh(), fresh()
    untouched = storage.dump(other)
    teach(taught, [(change(la=500), True, False)] * 20)
    assert storage.dump(other) == untouched


def test_sets_leave_out_the_stated_share_of_either_class():
    random = np.random.default_rng(3)
    state, wrong = fresh(), []
    for number in range(4_000):
        row = encode(change(la=random.exponential(60), nf=1 + random.poisson(2)))
        failed = bool(random.random() < 0.05 + 0.5 * (row[5] > 4))
        said = bayes.score(state, row)
        if number >= 2_000:
            wrong.append(("fail" if failed else "ok") not in said.answers)
        bayes.learn(state, row, said.raw, failed=failed)
    assert abs(np.mean(wrong) - 0.1) < 0.03


@given(histories, changes)
@settings(max_examples=60, deadline=None)
def test_an_answer_is_excluded_only_after_enough_own_outcomes_of_its_class(past, now):
    state = teach(fresh(), past)
    failed = sum(failed for _, failed, _ in past)
    answers = bayes.score(state, encode(now)).answers
    assert "fail" in answers or failed >= 9
    assert "ok" in answers or len(past) - failed >= 9


def test_what_other_projects_would_exclude_is_left_open_until_then():
    large, small = change(la=5_000, nf=60), change(la=1)
    state = teach(fresh(), [(large, True, False), (small, False, False)] * 8)
    assert {bayes.score(state, encode(each)).answers for each in (large, small)} == {("ok", "fail")}
    teach(state, [(large, True, False), (small, False, False)])
    assert [bayes.score(state, encode(each)).answers for each in (large, small)] == [("fail",), ("ok",)]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda stored: b"\xc1", "not a stored risk model"),
        (lambda stored: msgspec.msgpack.encode([]), "not a stored risk model"),
        (lambda stored: msgspec.msgpack.encode([3, *stored[1:]]), "schema 3, but this version reads 2"),
        (lambda stored: msgspec.msgpack.encode([2, stored[1][:-1], *stored[2:]]), "lists of"),
        (lambda stored: msgspec.msgpack.encode([2, [math.nan] * len(stored[1]), *stored[2:]]), "no model comes to"),
    ],
)
def test_a_state_that_is_not_whole_or_of_another_schema_is_refused(break_it, says):
    with pytest.raises(ValueError, match=says):
        storage.load(break_it(msgspec.msgpack.decode(storage.dump(fresh()))))


def test_a_prior_for_other_columns_is_refused():
    with pytest.raises(ValueError, match="other columns"):
        prior.decode(prior.FILE.read_bytes().replace(b'"la_by_nf"', b'"la_by_nd"'))
    with pytest.raises(ValueError, match="is no prior"):
        prior.decode(prior.FILE.read_bytes()[:-20])


def test_a_project_of_the_prior_is_judged_by_one_that_never_saw_it():
    assert prior.projects()
    for project in prior.projects():
        assert prior.load(without=project) != prior.load()
    assert prior.load(without="a project unheard of") == prior.load()


def test_rows_of_a_project_of_the_prior_are_known_under_any_name():
    marks = prior.decode(prior.FILE.read_bytes()).marks["zulip"]
    assert prior.seen_in([float(each) for each in marks[50:60]]) == "zulip"
    assert prior.seen_in([float(marks[0])]) is None
    assert prior.seen_in([]) is None


def test_explanations_name_the_feature_and_its_value():
    values = change(la=420)
    words = [push.words for push in explain(bayes.score(fresh(), encode(values)), values)]
    assert "lines added (420 lines): raises the risk" in words
