"""high_error_rate against its own past, and database_slow_queries."""

from math import log, pi, sin
from random import Random

import pytest

from tests.unit.models.detecting import DAY, HOUR, MINUTE, MONDAY, minutes, series, statuses, told, window, window_of
from vigia.models.detectors.database_slow_queries import DatabaseSlowQueries
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.sequential import Past

ERRORS = series("error_rate")
BUSY = {"request_rate": 50.0}
"""3,000 requests a minute."""
DURATIONS, P95, SLOW = series("db_query_duration", "ms"), series("db_query_p95", "ms"), series("db_slow_query_rate")


def rates(values, **more):
    return minutes(map(abs, values), **more)


def usual(number, random=None, mean=0.001):
    random = random or Random(4)
    return [max(0.0, random.gauss(mean, mean / 3)) for _ in range(number)]


def test_a_rise_above_its_own_past_is_found_below_the_limit():
    found = told(HighErrorRate(), ERRORS, rates([*usual(600), *[0.02] * 30]), BUSY)
    assert [(each.status, each.severity) for each in found] == [("open", "P3")]
    assert found[0].opened_at - MONDAY <= 606 * MINUTE
    assert found[0].evidence["usual"] == pytest.approx(0.001, rel=0.2)
    assert found[0].evidence["requests"] == 3_000.0
    assert "chance makes so much of it at most once in 1e+09 windows" in found[0].why


def test_the_same_rise_of_few_requests_is_a_near_miss():
    for beside in ({"request_rate": 0.9}, {}):
        assert told(HighErrorRate(), ERRORS, rates([*usual(600), *[0.02] * 30]), beside) == []


def test_a_rise_that_is_over_is_resolved():
    assert statuses(HighErrorRate(), ERRORS, rates([*usual(600), *[0.02] * 30, *usual(30)]), BUSY) == [
        "open",
        "resolved",
    ]


def test_what_is_usual_for_a_service_opens_nothing_below_the_limit():
    assert told(HighErrorRate(), ERRORS, rates(usual(3_000, mean=0.015)), BUSY) == []


def test_a_daily_cycle_of_errors_is_usual():
    cycle = (0.004 + 0.003 * sin(2 * pi * minute * MINUTE / DAY) for minute in range(7 * 1440))
    assert told(HighErrorRate(), ERRORS, rates(cycle), BUSY) == []


def test_a_restart_with_errors_for_two_minutes_opens_nothing():
    assert told(HighErrorRate(), ERRORS, rates([*usual(600), 0.3, 0.2, *usual(600)]), BUSY) == []


def test_too_few_requests_say_nothing():
    assert told(HighErrorRate(), ERRORS, rates([0.9] * 10), {"request_rate": 0.5}) == []


def test_missing_minutes_say_nothing():
    gaps = [value if minute % 3 else None for minute, value in enumerate([*usual(600), *[0.02] * 30])]
    assert statuses(HighErrorRate(), ERRORS, minutes(gaps), BUSY) == ["open"]
    silent = [*rates([*usual(600), *[0.2] * 5]), window(0.2, MONDAY + DAY)]
    assert statuses(HighErrorRate(), ERRORS, silent, BUSY) == ["open"]


@pytest.mark.parametrize(("value", "expected"), [(0.0, []), (0.02, []), (0.08, ["open"])])
def test_a_constant_series_is_judged_by_the_limit(value, expected):
    assert statuses(HighErrorRate(), ERRORS, rates([value] * 2_000), BUSY) == expected


def test_a_step_below_the_least_rise_is_fine():
    assert told(HighErrorRate(), ERRORS, rates([*usual(600), *[0.008] * 600]), BUSY) == []


@pytest.mark.parametrize("bad", [-0.1, 1.2])
def test_impossible_ratios_say_nothing(bad):
    detector = HighErrorRate()
    assert told(detector, ERRORS, minutes([bad] * 50), BUSY) == []
    assert detector.judge(detector.anew(3), window(bad), ERRORS, BUSY.get)[0] == detector.anew(3)


@pytest.mark.parametrize(("unit", "all_"), [("1", 1.0000000000000002), ("%", 100.2)])
def test_a_total_outage_that_is_rounded_to_more_than_all_is_one(unit, all_):
    (found,) = told(HighErrorRate(), series("error_rate", unit), minutes([all_] * 60), BUSY)
    assert (found.status, found.severity, found.evidence["mean"]) == ("open", "P0", 1.0)


@pytest.mark.parametrize("count", [1, 2])
def test_a_total_outage_of_one_sample_a_minute_is_found_at_once_where_requests_are_known(count):
    (found,) = told(HighErrorRate(), ERRORS, minutes([1.0] * 60, count=count), BUSY)
    assert (found.severity, found.opened_at) == ("P0", MONDAY + MINUTE)
    assert told(HighErrorRate(), ERRORS, minutes([1.0] * 60, count=count), {"request_rate": 0.5}) == []


def test_where_requests_are_not_known_one_sample_opens_nothing_and_three_in_a_row_do():
    assert told(HighErrorRate(), ERRORS, minutes([0.0, 1.0, 1.0] * 20, count=1)) == []
    (found,) = told(HighErrorRate(), ERRORS, minutes([1.0] * 60, count=1))
    assert (found.severity, found.opened_at) == ("P0", MONDAY + 3 * MINUTE)
    (found,) = told(HighErrorRate(), ERRORS, minutes([0.06] * 5 + [1.0] * 2, count=1))
    assert found.severity == "P3", "nor does it make a problem worse at once"


def test_a_small_rise_in_one_sample_a_minute_is_certain_by_its_requests():
    found = told(HighErrorRate(), ERRORS, rates([*usual(600), *[0.02] * 30], count=1), BUSY)
    assert [(each.status, each.severity) for each in found] == [("open", "P3")]


def test_one_sample_an_hour_is_enough_unless_the_limits_say_otherwise():
    hourly = minutes([0.001] * 200 + [0.2] * 6, every=HOUR, count=1)
    assert told(HighErrorRate(min_samples=3), ERRORS, hourly) == []
    found = told(HighErrorRate(), ERRORS, hourly)
    assert found[0].opened_at - MONDAY == 202 * HOUR + 60


def test_percent_are_ratios_times_a_hundred():
    assert statuses(HighErrorRate(), series("error_rate", "%"), minutes([20.0] * 3)) == ["open"]


def test_the_bets_are_lost_while_nothing_rises():
    """The false alarms of the test alone: wealth of 1,000 comes at most once in 1,000 windows."""
    random = Random(8)
    alarms = windows = 0
    past = Past()
    for _ in range(30_000):
        failed = sum(random.random() < 0.05 for _ in range(40))
        past = past.bet(failed / 40, 40, 0.05)
        windows += 1
        if past.evidence >= log(1_000):
            alarms, past = alarms + 1, past.without_bets()
    assert alarms <= windows / 1_000
    # and are won soon when it does: about 25 windows of 40 at twice the ratio
    taken = 0
    while past.evidence < log(1_000):
        past = past.bet(sum(random.random() < 0.1 for _ in range(40)) / 40, 40, 0.05)
        taken += 1
    assert taken < 60


def queries(random, number=100, slow=0.0, median=20.0):
    return [
        random.lognormvariate(log(median), 0.8) + (2_000.0 if random.random() < slow else 0.0) for _ in range(number)
    ]


def durations(shares, **more):
    random = Random(5)
    return [
        window_of(queries(random, slow=share, **more), MONDAY + minute * MINUTE) for minute, share in enumerate(shares)
    ]


def test_a_share_of_slow_queries_is_found_and_over():
    found = told(DatabaseSlowQueries(), DURATIONS, durations([0.0] * 20 + [0.3] * 10 + [0.0] * 20))
    assert [each.status for each in found if each.begins or each.status == "resolved"] == ["open", "resolved"]
    assert found[0].evidence["slow_share"] > 0.1
    assert found[0].evidence["figure"] == pytest.approx(2.0, rel=0.2)
    assert "take 1 s or more" in found[0].why


def test_a_share_above_its_own_past_is_found_below_the_limits():
    found = told(DatabaseSlowQueries(), DURATIONS, durations([0.001] * 300 + [0.04] * 60))
    assert [each.status for each in found] == ["open"]
    assert found[0].evidence["figure"] < 1.0


def test_a_percentile_is_found_by_its_limit_and_by_its_own_past():
    random = Random(6)
    before = [random.lognormvariate(log(40.0), 0.1) for _ in range(300)]
    assert statuses(DatabaseSlowQueries(), P95, minutes([*before, *[1_100.0] * 10])) == ["open"]
    assert statuses(DatabaseSlowQueries(), P95, minutes([*before, *[200.0] * 10])) == ["open"]
    assert statuses(DatabaseSlowQueries(), P95, minutes([*before, *[120.0] * 10])) == []


def test_a_rate_of_slow_queries_is_found():
    assert statuses(DatabaseSlowQueries(), SLOW, minutes([0.05] * 200 + [6.0] * 10)) == ["open"]
    assert statuses(DatabaseSlowQueries(), SLOW, minutes([0.05] * 200 + [0.15] * 10)) == []


def test_four_slow_minutes_are_a_near_miss():
    assert told(DatabaseSlowQueries(), DURATIONS, durations([0.0] * 20 + [0.4] * 4 + [0.0] * 20)) == []


def test_a_daily_cycle_of_the_percentile_is_usual():
    cycle = (60.0 + 30.0 * sin(2 * pi * minute * MINUTE / DAY) for minute in range(5 * 1440))
    assert told(DatabaseSlowQueries(), P95, minutes(cycle)) == []


def test_a_restart_with_cold_caches_is_over_soon_enough():
    assert told(DatabaseSlowQueries(), P95, minutes([40.0] * 300 + [900.0, 500.0, 200.0] + [45.0] * 300)) == []


@pytest.mark.parametrize("value", [0.0, 40.0, 999.0])
def test_a_constant_percentile_below_the_limit_is_fine(value):
    assert told(DatabaseSlowQueries(), P95, minutes([value] * 2_000)) == []


def test_a_step_within_the_usual_is_fine():
    assert told(DatabaseSlowQueries(), P95, minutes([40.0] * 500 + [90.0] * 500)) == []


def test_impossible_durations_say_nothing():
    detector = DatabaseSlowQueries()
    assert told(detector, P95, minutes([-5.0] * 50)) == []
    assert detector.judge(detector.anew(3), window(-5.0), P95, BUSY.get)[0] == detector.anew(3)


def test_few_queries_and_missing_minutes_say_nothing():
    few = [window_of([5_000.0] * 5, MONDAY + minute * MINUTE) for minute in range(20)]
    assert told(DatabaseSlowQueries(), DURATIONS, few) == []
    gaps = [None, 1_500.0] * 6
    assert statuses(DatabaseSlowQueries(), P95, minutes(gaps)) == ["open"]


def test_one_sample_an_hour_is_judged_by_the_percentile():
    assert statuses(DatabaseSlowQueries(), P95, minutes([40.0] * 100 + [2_000.0] * 6, every=HOUR, count=1)) == ["open"]


def test_units_of_time_are_known_and_others_not_watched():
    detector = DatabaseSlowQueries()
    assert statuses(detector, series("db_query_p95", "s"), minutes([1.5] * 6)) == ["open"]
    assert statuses(detector, series("db_query_p95", "us"), minutes([1.5] * 6)) == []
    assert not detector.watches(series("db_query_p95", "By"))
