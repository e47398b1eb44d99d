"""disk_space_low and memory_leak: what fills, what leaks, and what only looks like it."""

from math import pi, sin
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.detecting import DAY, HOUR, MINUTE, MONDAY, minutes, series, statuses, told, window
from vigia.models.detectors.disk_space_low import DiskSpaceLow
from vigia.models.detectors.history import History
from vigia.models.detectors.memory_leak import MemoryLeak
from vigia.models.detectors.trend import trend_of

DISK, MEMORY = series("disk_used_ratio"), series("memory_used_ratio")
BOTH = pytest.mark.parametrize(
    ("detector", "of"), [(DiskSpaceLow(), DISK), (MemoryLeak(), MEMORY)], ids=["disk", "memory"]
)
FIVE = 5 * MINUTE
"""Seconds between the samples of most series here; detectors judge in steps of five minutes."""


def level(at, base=0.5, swing=0.1, noise=0.005):
    """A level with a daily cycle."""
    return base + swing * sin(2 * pi * at / DAY) + Random(at).gauss(0, noise)


def days(number, shape=level, every=FIVE):
    """Windows over so many days; `shape` gives the level at each time since the beginning, or None."""
    return minutes((shape(at) for at in range(0, int(number * DAY), every)), every=every)


def clamped(value):
    return min(1.0, max(0.0, value))


@BOTH
def test_a_daily_cycle_is_no_growth(detector, of):
    assert told(detector, of, days(16)) == []


@BOTH
def test_what_grows_steadily_is_found_days_before_its_end(detector, of):
    found = told(detector, of, days(14, lambda at: level(at) + max(0.0, at - 8 * DAY) / DAY * 0.08))
    assert found[0].status == "open"
    assert 8 * DAY < found[0].opened_at - MONDAY < 11 * DAY
    # the peak of 0.6 comes to 1 five days after the beginning
    left = 13 * 24 - (found[0].opened_at - MONDAY) / HOUR
    assert found[0].evidence["hours_to_limit_low"] <= left + 24
    assert found[0].evidence["hours_to_limit_high"] >= left - 24
    assert found[0].severity in {"P2", "P3"}
    assert "95 % interval" in found[0].why


@BOTH
def test_what_fills_within_hours_is_found_within_the_hour(detector, of):
    found = told(detector, of, days(10, lambda at: clamped(level(at) + max(0.0, at - 9 * DAY) / HOUR * 0.1)))
    # it is new only above the usual peak, an hour and a half later, and then takes some steps
    assert 0 < found[0].opened_at - MONDAY - 9 * DAY < 3 * HOUR
    assert found[0].evidence["hours_to_limit"] < 6


@BOTH
def test_growth_that_ends_far_below_the_limit_is_a_near_miss(detector, of):
    assert told(detector, of, days(16, lambda at: level(at, base=0.3) + min(0.08, max(0.0, at - 8 * DAY) / DAY))) == []


@BOTH
def test_growth_that_takes_a_month_is_none_yet(detector, of):
    assert told(detector, of, days(12, lambda at: level(at, base=0.4) + at / DAY * 0.01)) == []


@BOTH
@pytest.mark.parametrize("height", [0.1, 0.2, 0.33])
@pytest.mark.parametrize("hour", [0, 7, 13])
def test_a_step_is_no_growth(detector, of, height, hour):
    stepped = days(16, lambda at: level(at, swing=0.02) + (height if at > 9 * DAY + hour * HOUR else 0.0))
    assert told(detector, of, stepped) == []


@BOTH
@pytest.mark.parametrize("value", [0.0, 0.5, 0.87])
def test_a_constant_series_is_fine(detector, of, value):
    assert told(detector, of, days(12, lambda at: value)) == []


@BOTH
def test_a_single_sample_an_hour_is_enough_for_days(detector, of):
    found = told(detector, of, days(16, lambda at: level(at) + max(0.0, at - 8 * DAY) / DAY * 0.08, every=HOUR))
    assert 8 * DAY < found[0].opened_at - MONDAY < 12 * DAY
    assert told(detector, of, days(16, every=HOUR)) == []


@BOTH
def test_missing_data_is_unknown(detector, of):
    def gappy(at):
        return None if at // (7 * HOUR) % 3 == 1 else level(at) + max(0.0, at - 8 * DAY) / DAY * 0.08

    found = told(detector, of, days(14, gappy))
    assert found[0].status == "open"
    assert told(detector, of, days(16, lambda at: None if at // (7 * HOUR) % 3 == 1 else level(at))) == []
    # nothing for two days ends no problem
    until = days(11, lambda at: level(at) + max(0.0, at - 8 * DAY) / DAY * 0.08)
    later = minutes([0.9], at=MONDAY + 13 * DAY)
    assert statuses(detector, of, until)[-1] == "open"
    assert statuses(detector, of, [*until, *later]) == statuses(detector, of, until)


@BOTH
@pytest.mark.parametrize("bad", [1.5, -0.5])
def test_impossible_values_say_nothing(detector, of, bad):
    strange = [window(bad, MONDAY + index * MINUTE) for index in range(100)]
    assert told(detector, of, strange) == []
    assert detector.judge(detector.anew(3), strange[0], of, {}.get)[0] == detector.anew(3)


def test_a_disk_is_full_by_its_level_at_once_and_free_by_its_level():
    disk = minutes([0.5] * 5 + [0.91] * 5 + [0.96] * 5 + [0.99] * 5 + [0.89] * 30 + [0.5] * 30)
    found = told(DiskSpaceLow(), DISK, disk)
    assert [(each.status, each.severity) for each in found] == [
        ("open", "P2"),
        ("open", "P1"),
        ("open", "P0"),
        ("resolved", "P0"),
    ]
    assert found[-1].opened_at == MONDAY + 8 * MINUTE
    assert found[0].evidence["used"] == pytest.approx(0.91)


def test_a_disk_in_percent_is_a_ratio_times_a_hundred():
    assert statuses(DiskSpaceLow(), series("disk_used", "%"), minutes([91.0] * 5)) == ["open"]
    assert not DiskSpaceLow().watches(series("disk_used", "By"))


def test_a_full_disk_that_is_rounded_to_more_is_full_and_more_than_that_is_no_share():
    (found,) = told(DiskSpaceLow(), series("disk_used", "%"), minutes([100.2] * 5))
    assert (found.status, found.evidence["used"]) == ("open", 1.0)
    assert told(DiskSpaceLow(), series("disk_used", "%"), minutes([150.0] * 5)) == []


def test_a_disk_just_below_its_limit_is_a_near_miss():
    assert told(DiskSpaceLow(), DISK, minutes([0.895, 0.899] * 600)) == []


def test_a_backup_that_fills_the_disk_every_night_and_is_deleted_is_no_growth():
    def nightly(at):
        hour = at % DAY / HOUR
        return 0.4 + (0.2 * (hour - 2) if 2 <= hour < 4 else 0.4 if 4 <= hour < 5 else 0.0)

    assert told(DiskSpaceLow(), DISK, days(12, nightly)) == []


def test_a_disk_that_was_emptied_is_resolved_and_finds_the_next_time_as_fast():
    def twice(at):
        growth = max(0.0, at % (10 * DAY) - 8 * DAY) / DAY * 0.25
        return clamped(level(at, base=0.3, swing=0.02) + growth)

    found = told(DiskSpaceLow(), DISK, days(21, twice))
    assert [each.status for each in found if each.status == "resolved" or each.begins] == [
        "open", "resolved", "open", "resolved"
    ]  # fmt: skip
    first, second = (each.opened_at - MONDAY for each in found if each.begins)
    assert second - 10 * DAY == pytest.approx(first, abs=12 * HOUR)


def test_memory_that_is_full_and_rounded_to_more_is_full():
    leaking = days(10, lambda at: 1.002 * clamped(level(at) + max(0.0, at - 9 * DAY) / HOUR * 0.1))
    found = told(MemoryLeak(), MEMORY, leaking)
    assert found[0].status == "open"
    in_bytes = [window(each.mean * 4e9, each.start) for each in leaking]
    of = series("memory_used", "By")
    assert [each.opened_at for each in told(MemoryLeak(limit_bytes=4e9), of, in_bytes)] == [
        each.opened_at for each in found
    ]
    detector = MemoryLeak()
    full, _ = detector.judge(detector.anew(0), window(1.002), MEMORY, lambda metric: None)
    assert full.history is not None
    assert full.history.fine.sum == 1.0


def test_a_disk_that_is_emptied_whenever_its_server_restarts_is_found_while_it_fills_and_not_by_the_restarts():
    def restarted(at):
        age = (at - 3 * HOUR) % DAY
        return 0.3 + 0.2 * min(1.0, age / (4 * HOUR)) + Random(at).gauss(0, 0.005)

    assert told(DiskSpaceLow(), DISK, days(16, restarted)) == []

    def filling(at):
        return clamped(restarted(at) + max(0.0, at - 9 * DAY) / HOUR * 0.02)

    found = told(DiskSpaceLow(), DISK, days(11, filling))
    assert (found[0].status, found[0].opened_at > MONDAY + 9 * DAY) == ("open", True)


def test_a_process_that_is_restarted_every_day_and_grows_to_a_plateau_does_not_leak():
    def warming(at):
        age = (at - 3 * HOUR) % DAY / HOUR
        return 0.3 + 0.3 * min(1.0, age / 4) + Random(at).gauss(0, 0.005)

    assert told(MemoryLeak(), MEMORY, days(16, warming)) == []


def test_restarts_at_odd_times_are_no_leak():
    random = Random(3)
    restarts = sorted(random.uniform(0, 16 * DAY) for _ in range(30))

    def restarted(at):
        age = at - max([0.0, *(each for each in restarts if each <= at)])
        return clamped(
            0.3 + 0.2 * min(1.0, age / (2 * HOUR)) + 0.05 * sin(2 * pi * at / DAY) + Random(at).gauss(0, 0.01)
        )

    assert told(MemoryLeak(), MEMORY, days(16, restarted)) == []


def test_a_leak_goes_on_over_a_restart_and_is_one_problem():
    def leaking(at):
        grown = max(0.0, at - 8 * DAY)
        # restarted each time that it is full, after ten hours
        return clamped(level(at, base=0.4, swing=0.05) + grown % (10 * HOUR) / HOUR * 0.055)

    found = told(MemoryLeak(), MEMORY, days(11, leaking))
    assert [each.status for each in found if each.begins or each.status == "resolved"] == ["open"]


def test_a_leak_in_bytes_needs_a_limit_which_another_series_may_give():
    growing = days(10, lambda at: 4e9 * clamped(level(at) + max(0.0, at - 9 * DAY) / HOUR * 0.1))
    of = series("memory_used", "By")
    assert told(MemoryLeak(), of, growing) == []
    assert statuses(MemoryLeak(limit_bytes=4e9), of, growing)[0] == "open"
    assert statuses(MemoryLeak(), of, growing, {"memory_limit": 4e9})[0] == "open"


def test_a_leak_that_was_mended_is_resolved():
    def mended(at):
        grown = at - 8 * DAY if 8 * DAY < at < 8.3 * DAY else 0.0
        return clamped(level(at, base=0.4, swing=0.02) + grown / HOUR * 0.07)

    found = told(MemoryLeak(), MEMORY, days(9, mended))
    assert [each.status for each in found if each.begins or each.status == "resolved"] == ["open", "resolved"]


@given(
    values=st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), max_size=30),
    groups=st.integers(1, 4),
)
def test_the_trend_equals_its_definition(values, groups):
    kinds = np.arange(len(values)) % groups
    pairs = [
        (i, j)
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if kinds[i] == kinds[j] and not np.isnan(values[i]) and not np.isnan(values[j])
    ]
    trend = trend_of(np.array(values, np.float64), kinds)
    assert trend.pairs == len(pairs)
    if pairs:
        slopes = [(values[j] - values[i]) / (j - i) for i, j in pairs]
        assert trend.slope == pytest.approx(float(np.median(slopes)))
        assert min(slopes) <= trend.low <= trend.slope <= trend.high <= max(slopes)
        rising = sum(float(np.sign(values[j] - values[i])) for i, j in pairs)
        assert np.sign(trend.z) in {0.0, np.sign(rising)}


def test_mann_kendall_with_ties_equals_a_published_example():
    # Gilbert, "Statistical methods for environmental pollution monitoring" (1987), the variance with ties by hand
    trend = trend_of(np.array([10.0, 22.0, 21.0, 30.0, 22.0, 30.0, 40.0, 40.0]))
    variance = (8 * 7 * 21 - 3 * (2 * 1 * 9)) / 18
    assert trend.z == pytest.approx((21 - 1) / variance**0.5)


@given(st.lists(st.tuples(st.integers(0, 5_000), st.floats(0.0, 1.0)), max_size=200))
def test_steps_are_the_means_of_their_windows_with_gaps_unknown(windows):
    history, at = History(), MONDAY
    by_step: dict[int, list[float]] = {}
    for gap, value in windows:
        at += 60 * (1 + gap // 60)
        history.add(at, value)
        by_step.setdefault(at // 300, []).append(value)
    if by_step:
        last = max(by_step)
        steps = [by_step.get(step, [np.nan]) for step in range(min(by_step), last)][-12:]
        expected = np.array([sum(step) / len(step) for step in steps])
        assert np.allclose(history.fine.values(), expected, atol=1e-6, equal_nan=True)
