"""The Bayesian risk model: an exact sum, finite whatever comes, honest about late labels, the same after a restart."""

import math
from functools import partial

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


def test_the_level_of_what_is_said_follows_the_latest_outcomes():
    random = np.random.default_rng(3)
    state, said = fresh(), []
    for number in range(6_000):
        row = encode(change(la=random.exponential(60), nf=1 + random.poisson(2)))
        # what was frequent becomes rare
        failed = bool(random.random() < (0.4 if number < 3_000 else 0.05))
        score = bayes.score(state, row)
        said.append(score.probability)
        bayes.learn(state, row, score.raw, failed=failed, in_time=1.0)
    assert np.mean(said[2_500:3_000]) == pytest.approx(0.4, abs=0.05)
    assert np.mean(said[5_500:]) == pytest.approx(0.05, abs=0.03)


def test_clean_so_far_moves_the_level_less_the_later_failures_are_told():
    row, levels = encode(change(la=90)), []
    for in_time in (0.0, 0.5, 1.0):
        state = fresh()
        bayes.learn(state, row, bayes.score(state, row).raw, failed=False, in_time=in_time)
        levels.append(state.shift)
    # who is never told in time learns nothing of the level from that nothing was told
    assert levels[0] == 0.0
    assert 0.0 > levels[1] > levels[2]


def test_outcomes_are_counted_as_they_are_known_now():
    state, row = fresh(), encode(change())
    lessons = [bayes.learn(state, row, -1.0, failed=failed) for failed in (True, False, False)]
    assert (state.failed, state.clean) == (1, 2)
    bayes.learn(state, row, -1.0, failed=True, earlier=lessons[1])
    assert (state.failed, state.clean, state.learned) == (2, 1, 4)


COVARIANCE, VARIANCES = 2, 3
SLOPE, SLOPE_VARIANCE, SHIFT, FAILED, CLEAN, LEARNED = range(7, 13)
"""Places in the stored form."""


def with_number(place, number, stored):
    """The stored form with another number there, or with a list that begins with another one."""
    stored[place] = [*number, *stored[place][1:]] if isinstance(number, list) else number
    return msgspec.msgpack.encode(stored)


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda stored: b"\xc1", "not a stored risk model"),
        (lambda stored: msgspec.msgpack.encode([]), "not a stored risk model"),
        (lambda stored: msgspec.msgpack.encode([4, *stored[1:]]), "schema 4, but this version reads 2 and 3"),
        (lambda stored: msgspec.msgpack.encode([2, 5]), "not a stored risk model"),
        (lambda stored: msgspec.msgpack.encode([3, stored[1][:-1], *stored[2:]]), "lists of"),
        (lambda stored: msgspec.msgpack.encode([3, [math.nan] * len(stored[1]), *stored[2:]]), "no model comes to"),
        *(
            (partial(with_number, place, number), "no model comes to")
            for place, number in [
                (SLOPE, math.nan),
                (SLOPE, -math.inf),
                (SLOPE_VARIANCE, -1e-9),
                (SHIFT, math.nan),
                (SHIFT, math.inf),
                (FAILED, -1),
                (CLEAN, -1),
                (LEARNED, -1),
                (COVARIANCE, [-1e-9]),
                (VARIANCES, [-1e-9]),
            ]
        ),
    ],
)
def test_a_state_that_is_not_whole_or_of_another_schema_is_refused(break_it, says):
    with pytest.raises(ValueError, match=says):
        storage.load(break_it(msgspec.msgpack.decode(storage.dump(fresh()))))


def test_a_state_of_the_schema_before_is_read():
    state = teach(fresh(), [(change(la=la), la > 50, False) for la in range(0, 100, 5)])
    schema, *arrays = msgspec.msgpack.decode(storage.dump(state))[:7]
    borders = [-2.0, 1.0, -1.0, 400.0, 1_600.0, state.failed, state.clean]
    calibration = [state.slope_variance, 0.001, 0.0002]
    old = [schema - 1, *arrays, state.slope, state.shift, calibration, borders, state.learned]
    assert storage.dump(storage.load(msgspec.msgpack.encode(old))) == storage.dump(state)


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
