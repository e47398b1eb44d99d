"""The course of any problem: runs of windows, hysteresis, staleness, severity, returns. Shown on high_error_rate."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.detecting import MINUTE, MONDAY, judged, series, told, window
from vigia.models.detectors.high_error_rate import HighErrorRate

ERRORS = series("error_rate")
PLAIN = HighErrorRate(open_after=1, close_after=3, flap_within=0.0, min_samples=3)


def at(minute, mean, **fields):
    return window(mean, MONDAY + MINUTE * minute, **fields)


def means(*values, **fields):
    return [at(minute, value, **fields) for minute, value in enumerate(values)]


def findings(detector, windows):
    return [finding.status if finding else "" for finding in judged(detector, ERRORS, windows)]


def test_it_opens_at_the_limit_and_resolves_after_three_windows_below_the_lower_one():
    windows = means(0.049, 0.05, 0.3, 0.02, 0.02, 0.02, 0.02, 0.06)
    found = findings(HighErrorRate(open_after=1, p0_after=1, flap_within=0.0), windows)
    assert found == ["", "open", "open", "", "", "resolved", "", "open"]


def test_between_the_limits_nothing_changes_and_a_run_ends():
    detector = HighErrorRate(open_after=2, close_after=2, flap_within=0.0)
    windows = means(0.06, 0.04, 0.06, 0.06, 0.01, 0.04, 0.01, 0.01)
    assert findings(detector, windows) == ["", "", "", "open", "", "", "", "resolved"]


def test_a_rate_that_swings_around_the_upper_limit_opens_one_problem():
    windows = means(*[0.06 if minute % 2 else 0.045 for minute in range(50)])
    assert findings(PLAIN, windows).count("open") == 1


@pytest.mark.parametrize(
    "unknown",
    [partial(at, mean=0.0, count=2), partial(at, mean=0.01, low=-0.1), partial(at, mean=0.02, high=1.5)],
    ids=["too few samples", "negative", "above one"],
)
def test_a_window_that_says_nothing_neither_resolves_nor_interrupts(unknown):
    windows = [at(0, 0.4), at(1, 0.0), unknown(2), at(3, 0.0), unknown(4), at(5, 0.0)]
    assert findings(PLAIN, windows)[-1] == "resolved"
    assert findings(PLAIN, [at(0, 0.4), *map(unknown, range(1, 5))])[1:] == [""] * 4


def test_missing_minutes_are_neither_fine_nor_broken():
    windows = [at(minute, 0.4) for minute in (0, 100)] + [at(minute, 0.0) for minute in (200, 300, 400)]
    assert findings(HighErrorRate(open_after=2), windows) == ["", "open", "", "", "resolved"]


def test_the_versions_and_numbers_of_problems_count_up():
    found = told(HighErrorRate(open_after=1, close_after=1, flap_within=0.0), ERRORS, means(0.4, 0.0, 0.4, 0.0))
    assert [(finding.number, finding.version, finding.status) for finding in found] == [
        (1, 1, "open"),
        (1, 2, "resolved"),
        (2, 1, "open"),
        (2, 2, "resolved"),
    ]


@pytest.mark.parametrize(("mean", "severity"), [(0.5, "P0"), (0.25, "P1"), (0.1, "P2"), (0.05, "P3")])
def test_the_severity_follows_the_mean_and_stays_until_the_end(mean, severity):
    opened, resolved = told(HighErrorRate(open_after=1, close_after=1), ERRORS, means(mean, 0.0))
    assert (opened.severity, resolved.severity) == (severity, severity)
    assert resolved.opened_at == opened.opened_at == MONDAY + 60.0


def test_a_problem_that_becomes_worse_for_long_enough_says_so_once():
    found = told(HighErrorRate(), ERRORS, means(*[0.06] * 3, 0.3, 0.06, *[0.3] * 5, *[0.12] * 5))
    assert [(finding.status, finding.severity, finding.version) for finding in found] == [
        ("open", "P3", 1),
        ("open", "P1", 2),
    ]
    assert [finding.begins for finding in found] == [True, False]


def test_what_is_as_bad_as_p0_opens_at_once_and_a_problem_becomes_p0_at_once():
    assert findings(HighErrorRate(), means(0.6)) == ["open"]
    assert findings(HighErrorRate(), means(0.1, 0.1, 0.1, 0.6)) == ["", "", "open", "open"]
    assert findings(HighErrorRate(p0_after=3), means(0.6, 0.6)) == ["", ""]


def test_a_stale_problem_becomes_an_open_one_when_the_windows_have_caught_up():
    windows = [*means(0.5, 0.6, stale=True), at(2, 0.7), at(3, 0.7)]
    assert [finding is None for finding in judged(PLAIN, ERRORS, windows)] == [False, True, False, True]
    stale, opened = told(PLAIN, ERRORS, windows)
    assert (stale.status, stale.number, stale.version, stale.severity) == ("stale", 1, 1, "P0")
    assert (opened.status, opened.number, opened.version, opened.severity) == ("open", 1, 2, "P0")
    assert (stale.begins, opened.begins) == (False, True)


def test_a_stale_problem_that_ends_in_the_backlog_is_resolved_without_having_been_open():
    low = means(0.5, 0.0, 0.0, 0.0, stale=True)
    assert findings(PLAIN, low) == ["stale", "", "", "resolved"]
    assert findings(PLAIN, [*low[:3], at(3, 0.0)])[-1] == "resolved"


def test_each_return_doubles_the_wait_until_it_counts_as_over_and_says_so():
    detector = HighErrorRate(open_after=1, close_after=2, flap_within=600.0)
    flapping = means(*[0.4, 0.0, 0.0] * 8)
    found = told(detector, ERRORS, flapping)
    # resolved, returned, and from then on two good minutes are not enough
    assert [finding.status for finding in found] == ["open", "resolved", "open"]
    assert found[2].evidence["returns"] == 1.0
    assert "come back once" in found[2].why
    calm = [at(minute, 0.0) for minute in range(24, 40)]
    assert [finding.status for finding in told(detector, ERRORS, [*flapping, *calm])][-1] == "resolved"


def test_a_return_after_a_long_time_is_a_problem_like_any_other():
    detector = HighErrorRate(open_after=1, close_after=1, flap_within=600.0)
    found = told(detector, ERRORS, [at(0, 0.4), at(1, 0.0), at(12, 0.4), at(13, 0.0)])
    assert [finding.status for finding in found] == ["open", "resolved", "open", "resolved"]
    assert "returns" not in found[2].evidence


@given(
    values=st.lists(st.sampled_from([0.0, 0.02, 0.04, 0.06, 0.3, 0.9]) | st.floats(0.0, 1.0), max_size=60),
    open_after=st.integers(1, 3),
    close_after=st.integers(1, 3),
    flap=st.sampled_from([0.0, 300.0, 1e9]),
    stale=st.integers(0, 60),
)
def test_whatever_comes_problems_open_and_end_in_turn(values, open_after, close_after, flap, stale):
    detector = HighErrorRate(open_after=open_after, close_after=close_after, flap_within=flap)
    windows = [at(minute, value, stale=minute < stale) for minute, value in enumerate(values)]
    number, version, over = 0, 0, True
    for finding in told(detector, ERRORS, windows):
        if over:
            assert (finding.number, finding.version) == (number + 1, 1)
            assert finding.status in {"open", "stale"}
        else:
            assert (finding.number, finding.version) == (number, version + 1)
            assert finding.status in {"open", "resolved"}
        number, version, over = finding.number, finding.version, finding.status == "resolved"
