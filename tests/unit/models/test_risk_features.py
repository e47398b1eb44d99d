"""What the model sees of a deployment: only what its event knows, with nothing missing taken for zero."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.models.risk.catalog import FEATURES, TIME_COLUMNS
from vigia.models.risk.features import columns, prior_of_columns, raw_values, value_of

NAMES = [feature.name for feature in FEATURES]
AT = 1_700_000_000.0


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


def raw_of(event):
    return dict(zip(NAMES, raw_values(event), strict=True))


def test_the_catalog_has_every_feature_that_an_event_may_carry():
    assert set(NAMES) == set(ChangeFeatures.__struct_fields__)
    assert len(NAMES) == len(set(NAMES))
    for feature in FEATURES:
        assert feature.unit
        assert feature.definition
        assert feature.source
        assert feature.missing in feature.when_missing


def test_every_column_that_can_come_has_a_prior():
    full = columns([1.0] * len(NAMES), AT)
    empty = columns([None] * len(NAMES), AT)
    assert set(prior_of_columns()) == set(full) | set(empty)
    assert all(spread > 0 for _, spread in prior_of_columns().values())


def test_a_missing_feature_is_not_zero():
    known, unknown = columns(raw_values(deployment(la=0.0)), AT), columns(raw_values(deployment()), AT)
    assert known["la"] == 0.0
    assert known["la_missing"] == 0.0
    assert "la" not in unknown
    assert unknown["la_missing"] == 1.0


def test_commits_features_are_combined_as_the_catalog_says():
    raw = raw_of(
        deployment(
            [
                commit("a", la=10, ld=0, nf=2, ns=1, fix=0, entropy=1.0, code_review_score=9),
                commit("b", la=29, ld=1, nf=3, ns=2, fix=1, entropy=2.0, code_review_score=4),
            ]
        )
    )
    assert (raw["la"], raw["ld"], raw["nf"]) == (39, 1, 5)
    assert (raw["ns"], raw["fix"], raw["code_review_score"]) == (2, 1, 4)
    # weighted by lines changed, and one for a commit that changes none
    assert raw["entropy"] == pytest.approx((1.0 * 11 + 2.0 * 31) / 42)


def test_the_deployments_own_features_win_over_its_commits():
    raw = raw_of(deployment([commit(la=10, nf=2)], la=50.0))
    assert (raw["la"], raw["nf"]) == (50, 2)


def test_a_sum_over_some_of_the_commits_is_no_value():
    assert raw_of(deployment([commit("a", la=10), commit("b", nf=2)]))["la"] is None
    assert raw_of(deployment([commit("a", la=10), commit("b")]))["la"] is None


def test_the_sum_of_the_largest_values_is_finite():
    raw = raw_values(
        deployment([commit("a", la=1.7e308, ld=1.7e308, age=1.7e308), commit("b", la=1.7e308, ld=0, age=1e308)])
    )
    assert all(math.isfinite(value) for value in columns(raw, AT).values())


def test_lead_time_comes_from_the_earliest_commit_when_the_event_has_none():
    assert raw_of(deployment([commit("a", AT - 60), commit("b", AT - 90)]))["lead_time"] == 90
    assert raw_of(deployment([commit("a", AT - 60)], lead_time=5.0))["lead_time"] == 5
    assert raw_of(deployment([commit("a", AT - 60), commit("b")]))["lead_time"] is None
    assert raw_of(deployment([commit("a", AT + 60)]))["lead_time"] is None


def test_nothing_but_the_change_and_its_time_is_read():
    event = deployment([commit("a", AT - 60, la=3)], nf=2.0)
    later = msgspec.structs.replace(event, stage="finished", status="failed", version="2")
    assert raw_values(event) == raw_values(later)


def test_midnight_has_neighbours_on_both_sides():
    before, after, noon = (columns((), at) for at in (86_399.0, 86_401.0, 43_200.0))
    assert before["time_of_day_cos"] == pytest.approx(after["time_of_day_cos"], abs=1e-3)
    assert noon["time_of_day_cos"] == pytest.approx(-1)


def test_the_week_begins_on_monday():
    monday = columns((), 4 * 86_400.0 + 3_600.0)  # 1970-01-05
    assert (monday["day_of_week_sin"], monday["day_of_week_cos"]) == (0.0, 1.0)


def test_values_are_shown_in_their_units():
    raw = raw_values(deployment(la=39.0))
    encoded = columns(raw, AT)
    assert encoded["la"] == math.log1p(39)
    assert value_of("la", raw, encoded) == 39
    assert value_of("nf_missing", raw, encoded) == 1
    assert value_of(TIME_COLUMNS[0].name, raw, encoded) == encoded[TIME_COLUMNS[0].name]


def test_a_deployment_kept_from_before_a_feature_was_added_lacks_it():
    assert columns((1.0,), AT)["ns_missing"] == 1.0


huge = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES), huge), max_size=4),
    st.dictionaries(st.sampled_from(NAMES), huge),
    st.floats(min_value=0, max_value=32e9),
)
def test_whatever_finite_values_come_columns_are_finite(commits, own, at):
    event = deployment([commit(str(index), **each) for index, each in enumerate(commits)], at=at, **own)
    for value in columns(raw_values(event), at).values():
        assert math.isfinite(value)
        assert abs(value) < 1_000
