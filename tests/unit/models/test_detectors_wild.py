"""unusual_values and values beyond all measure: one is no problem and leaves no trace, a new level is learned."""

from random import Random

import pytest

from tests.unit.models.detecting import DAY, MINUTE, MONDAY, minutes, series, statuses, told
from tests.unit.models.test_detectors_unusual import DETECTOR, LATENCY, usual
from vigia.models.detectors.unusual_values import UnusualValues

AT = 4 * 1440 + 700
"""The minute of the wild value."""
WILD = [1e4, 1e5, 2.0**32, 1.8e19, -1e6]
FEW_PARTS = series("queue", "1")


def constant(minute, random):
    return 100.0


def nothing(minute, random):
    return 0.0


def values(of, number):
    random = Random(7)
    return [of(minute, random) for minute in range(number)]


def broken_after(days, of, wild=()):
    """Values of `of` with wild ones at AT, and an hour of eight times as much so many days later."""
    at = AT + days * 1440 + 3
    made = values(of, at + 90)
    made[AT : AT + len(wild)] = wild
    made[at : at + 60] = [8 * value or 8.0 for value in made[at : at + 60]]
    return at, minutes(made)


def minutes_until_found(days, of, wild=()):
    at, windows = broken_after(days, of, wild)
    return [
        (found.opened_at - MONDAY) / MINUTE - at for found in told(DETECTOR, LATENCY, windows) if found.status == "open"
    ]


@pytest.mark.parametrize("of", [usual, constant, nothing])
@pytest.mark.parametrize("wild", [*([value] for value in WILD), [1.8e19, 1.8e19]], ids=str)
def test_a_wild_value_opens_nothing_and_what_breaks_a_day_later_is_found_as_early_as_without_it(of, wild):
    assert minutes_until_found(1, of, wild) == minutes_until_found(1, of)
    assert len(minutes_until_found(1, of)) == 1


@pytest.mark.parametrize("days", [4, 9])
def test_what_breaks_days_after_a_wild_value_is_found_as_early_as_without_it(days):
    (found,) = minutes_until_found(days, usual, [1.8e19])
    assert [found] == minutes_until_found(days, usual)
    assert found <= 15


@pytest.mark.parametrize("wild", WILD)
def test_a_series_may_begin_with_a_wild_value(wild):
    healthy = values(usual, 5 * 1440)
    broken = [8 * value for value in values(usual, 60)]
    assert statuses(DETECTOR, LATENCY, minutes([wild, *healthy])) == []
    assert statuses(DETECTOR, LATENCY, minutes([wild, *healthy, *broken])) == ["open"]


@pytest.mark.parametrize("of", [usual, constant, nothing])
@pytest.mark.parametrize("level", [2e3, 1e9])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_lasting_step_is_told_once_and_becomes_usual_within_a_day(of, level, noise):
    random = Random(3)
    after = [level * random.lognormvariate(0, noise) for _ in range(2 * 1440)]
    first, last = told(DETECTOR, LATENCY, minutes([*values(of, 5 * 1440), *after]))
    assert (first.status, last.status) == ("open", "resolved")
    assert first.opened_at - MONDAY - 5 * DAY <= 15 * MINUTE


def test_what_oscillates_for_good_becomes_usual_too():
    swings = [5.0 + (4.0 if minute % 2 else -4.0) for minute in range(2 * 1440)]
    assert statuses(DETECTOR, FEW_PARTS, minutes([*[5.0] * 5 * 1440, *swings])) == ["open", "resolved"]


def test_wild_values_that_are_the_habit_of_a_series_do_not_hide_a_new_level():
    random = Random(7)
    spiky = [random.choice([0.0, 5.0, 3.0, 7.0]) for _ in range(5 * 1440)]
    assert statuses(DETECTOR, FEW_PARTS, minutes(spiky)) == []
    assert statuses(DETECTOR, FEW_PARTS, minutes([*spiky, *[2_000.0] * 30])) == ["open"]


def test_two_windows_however_wild_open_nothing_even_without_a_run():
    at_once = UnusualValues(open_after=1)
    assert told(at_once, FEW_PARTS, minutes([*[5.0] * 5 * 1440, 1e19, 1e19, *[5.0] * 60])) == []
