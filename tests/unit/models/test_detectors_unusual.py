"""unusual_values: the general detector opens problems for what no rule looks at, and keeps quiet otherwise."""

from math import pi, sin
from random import Random

from tests.unit.models.detecting import DAY, HOUR, MINUTE, MONDAY, minutes, series, statuses, told
from vigia.models.detectors.unusual_values import UnusualValues

LATENCY = series("latency", "ms")
DETECTOR = UnusualValues()
DAYS = 6


def usual(minute, random):
    """A latency with a daily cycle."""
    return (100 + 30 * sin(2 * pi * minute * MINUTE / DAY)) * random.lognormvariate(0, 0.1)


def days(change=lambda minute, value: value, number=DAYS):
    random = Random(7)
    return minutes([change(minute, usual(minute, random)) for minute in range(number * 1440)])


def test_a_level_far_from_all_that_was_is_found_and_over():
    def broken(minute, value):
        return value * 8 if 5 * 1440 <= minute < 5 * 1440 + 60 else value

    found = told(DETECTOR, LATENCY, days(broken))
    assert [each.status for each in found] == ["open", "resolved"]
    assert 0 < (found[0].opened_at - MONDAY) / MINUTE - 5 * 1440 <= 15
    assert 0.998 <= found[0].evidence["score"] <= 1
    assert found[0].severity == "P3"
    assert found[0].why.startswith("latency is ")
    assert "ms" in found[0].why


def test_a_daily_cycle_is_usual():
    assert told(DETECTOR, LATENCY, days()) == []


def test_a_few_odd_minutes_are_a_near_miss():
    assert (
        told(DETECTOR, LATENCY, days(lambda minute, value: value * 2.5 if minute % 1440 in {77, 78} else value)) == []
    )


def test_a_restart_with_cold_caches_is_no_problem():
    def cold(minute, value):
        return value * (3 - (minute - 7300) / 4) if 7300 <= minute < 7308 else value

    assert told(DETECTOR, LATENCY, days(cold)) == []


def test_nothing_opens_before_the_series_is_known():
    assert (
        told(DETECTOR, LATENCY, days(lambda minute, value: value * 8 if minute > 2 * 1440 else value, number=3)) == []
    )


def test_missing_data_is_no_news():
    def gappy(minute, value):
        return None if minute // 400 % 3 == 1 else value

    assert told(DETECTOR, LATENCY, days(gappy)) == []


def test_a_constant_series_is_usual_and_one_that_leaves_it_for_long_is_not():
    assert told(DETECTOR, LATENCY, minutes([5.0] * 6 * 1440)) == []
    found = statuses(DETECTOR, LATENCY, minutes([5.0] * 5 * 1440 + [9.0] * 30))
    assert found == ["open"]


def test_a_step_is_told_once():
    found = statuses(
        DETECTOR, LATENCY, days(lambda minute, value: value * 8 if minute >= 5 * 1440 + 600 else value, number=8)
    )
    assert found.count("open") == 1


def test_one_sample_an_hour_needs_limits_of_its_own():
    random = Random(9)
    hourly = [100 + random.gauss(0, 5) for _ in range(60 * 24)]
    wrong = minutes([*hourly, *[400.0] * 12], every=HOUR)
    assert told(DETECTOR, LATENCY, wrong) == []
    at_once = UnusualValues(memory=1, open_after=1, close_after=3)
    assert told(at_once, LATENCY, wrong[: len(hourly)]) == []
    assert statuses(at_once, LATENCY, wrong)[0] == "open"
