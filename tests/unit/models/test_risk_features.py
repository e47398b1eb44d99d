"""What the model sees of a deployment: its event and the past of its scope, with nothing missing taken for zero."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.models.risk import bayes, prior
from vigia.models.risk.basis import FEATURES as RECORDED
from vigia.models.risk.catalog import CLOCK, CONTEXT, FEATURES, NAMES
from vigia.models.risk.encoding import COLUMNS, encode
from vigia.models.risk.features import values_of

AT = 1_700_000_000.0
EVENT_FEATURES = [feature.name for feature in FEATURES if feature.source not in (CONTEXT, CLOCK)]


def deployment(commits=(), at=AT, **features):
    return Deployment(
        source="ci",
        external_id="1",
        service="shop",
        stage="planned",
        at=at,
        commits=list(commits),
        features=ChangeFeatures(**features) if features else None,
    )


def commit(sha="a", committed_at=None, **features):
    return Commit(sha=sha, committed_at=committed_at, features=ChangeFeatures(**features) if features else None)


def known(event, seen=None):
    return dict(zip(NAMES, values_of(event, seen or {}), strict=True))


def columns_of(values):
    return dict(zip((column.name for column in COLUMNS), encode(values).tolist(), strict=True))


def test_the_catalog_has_every_feature_that_an_event_may_carry():
    assert list(ChangeFeatures.__struct_fields__) == EVENT_FEATURES
    assert len(NAMES) == len(set(NAMES))
    assert NAMES[: len(RECORDED)] == RECORDED
    for feature in FEATURES:
        assert feature.unit
        assert feature.definition
        assert feature.source
        assert feature.when_missing.endswith(".")


def test_every_feature_reaches_a_column():
    reached = {column.feature for column in COLUMNS}
    assert set(NAMES) - reached == {"code_changes_size"}, "it stands for lines changed where those are not known"
    assert columns_of(values_of(deployment(code_changes_size=99.0), {}))["lines_changed"] == math.log1p(99)
    assert columns_of(values_of(deployment(code_changes_size=99.0, la=1.0, ld=1.0), {}))["lines_changed"] == math.log1p(
        2
    )


def test_a_missing_feature_is_not_zero_but_told_by_its_indicator():
    told, absent = (columns_of(values_of(deployment(**each), {})) for each in ({"tests_passed_pct": 0.0}, {}))
    assert (told["tests_passed_pct"], told["tests_passed_pct_not_known"]) == (0.0, 0.0)
    assert math.isnan(absent["tests_passed_pct"])
    assert absent["tests_passed_pct_not_known"] == 1.0


def test_what_is_not_known_stands_at_what_the_scope_has_seen():
    state = bayes.new_state(prior.load())
    for percent in (40.0, 60.0) * 40:
        row = encode(values_of(deployment(tests_passed_pct=percent), {}))
        bayes.learn(state, row, bayes.score(state, row).raw, failed=percent < 50)
    place = [column.name for column in COLUMNS].index("tests_passed_pct")
    at_mean = encode(values_of(deployment(), {}))
    at_mean[place] = state.scales.centre[place]
    absent = bayes.score(state, encode(values_of(deployment(), {})))
    assert absent.contributions[place] == 0.0
    assert absent.log_odds == bayes.score(state, at_mean).log_odds


def test_commits_features_are_combined_as_the_catalog_says():
    values = known(
        deployment(
            [
                commit("a", la=10, ld=0, nf=2, ns=1, fix=0, entropy=1.0, code_review_score=9),
                commit("b", la=29, ld=1, nf=3, ns=2, fix=1, entropy=2.0, code_review_score=4),
            ]
        )
    )
    assert (values["la"], values["ld"], values["nf"]) == (39, 1, 5)
    assert (values["ns"], values["fix"], values["code_review_score"]) == (2, 1, 4)
    # weighted by lines changed, and one for a commit that changes none
    assert values["entropy"] == pytest.approx((1.0 * 11 + 2.0 * 31) / 42)


def test_the_event_wins_over_its_commits_and_they_over_the_past():
    seen = {"previous_failures": 3.0, "team_velocity": 7.0}
    assert known(deployment([commit(la=10, nf=2)], la=50.0))["la"] == 50
    assert known(deployment(previous_failures=1.0), seen)["previous_failures"] == 1
    assert known(deployment([commit(previous_failures=2.0)]), seen)["previous_failures"] == 2
    assert known(deployment(), seen)["previous_failures"] == 3
    assert known(deployment(), seen)["team_velocity"] == 7


def test_a_sum_over_some_of_the_commits_is_no_value():
    assert known(deployment([commit("a", la=10), commit("b", nf=2)]))["la"] is None
    assert known(deployment([commit("a", la=10), commit("b")]))["la"] is None


def test_the_size_of_a_change_comes_from_its_lines_when_the_event_has_none():
    assert known(deployment(la=3.0, ld=4.0))["code_changes_size"] == 7
    assert known(deployment(la=3.0))["code_changes_size"] is None


def test_lead_time_comes_from_the_earliest_commit_when_the_event_has_none():
    assert known(deployment([commit("a", AT - 60), commit("b", AT - 90)]))["lead_time"] == 90
    assert known(deployment([commit("a", AT - 60)], lead_time=5.0))["lead_time"] == 5
    assert known(deployment([commit("a", AT - 60), commit("b")]))["lead_time"] is None
    assert known(deployment([commit("a", AT + 60)]))["lead_time"] is None


def test_what_becomes_of_a_deployment_is_not_read():
    event = deployment([commit("a", AT - 60, la=3)], nf=2.0)
    later = msgspec.structs.replace(event, stage="finished", status="failed", version="2")
    assert values_of(event, {}) == values_of(later, {})


def test_midnight_has_neighbours_on_both_sides():
    before, after, noon = (columns_of(values_of(deployment(at=at), {})) for at in (86_399.0, 86_401.0, 43_200.0))
    assert before["time_of_day_cosine"] == pytest.approx(after["time_of_day_cosine"], abs=1e-3)
    assert noon["time_of_day_cosine"] == pytest.approx(-1)


def test_the_week_begins_on_monday():
    monday = 4 * 86_400.0  # 1970-01-05
    assert known(deployment(at=monday))["day_of_week"] == 0.0
    assert known(deployment(at=monday - 1))["day_of_week"] == pytest.approx(7, abs=1e-4)
    assert known(deployment(at=monday + 3_600))["time_of_day"] == 1.0


def test_a_deployment_kept_from_before_a_feature_was_added_lacks_it():
    assert columns_of((1.0,))["lead_time_not_known"] == 1.0


huge = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.dictionaries(st.sampled_from(EVENT_FEATURES), huge), max_size=4),
    st.dictionaries(st.sampled_from(EVENT_FEATURES), huge),
    st.floats(min_value=0, max_value=32e9),
    st.dictionaries(st.sampled_from(NAMES), st.floats() | st.just(math.inf)),
)
def test_whatever_values_come_columns_are_bounded_or_not_known(commits, own, at, seen):
    event = deployment([commit(str(index), **each) for index, each in enumerate(commits)], at=at, **own)
    row = encode(values_of(event, seen))
    assert np.nanmax(np.abs(row)) < 1_000
