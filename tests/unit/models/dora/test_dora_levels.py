"""Levels by each report and by an organisation's own table, and the intervals."""

import random
import tomllib
from pathlib import Path

import pytest
from scipy import stats

from vigia.cli.delivery.arguments import YEARS as OFFERED
from vigia.models.dora import intervals
from vigia.models.dora.levels import YEARS, DoraConfigError, MetricName, level_of, own_level_of, parse_dora
from vigia.models.intervals import wilson

ROOT = Path(__file__).resolve().parents[4]
HOUR, DAY = 3600.0, 86_400.0

PUBLISHED: list[tuple[MetricName, int, list[float]]] = [
    ("change_lead_time", 2021, [0.5 * HOUR, 3 * DAY, 90 * DAY, 200 * DAY]),
    ("change_lead_time", 2024, [0.5 * DAY, 3 * DAY, 20 * DAY, 90 * DAY]),
    ("change_lead_time", 2023, [0.5 * DAY, 3 * DAY, 20 * DAY, 31 * DAY]),
    ("deployment_frequency", 2021, [3.0, 1 / 14, 1 / 60, 1 / 400]),
    ("deployment_frequency", 2023, [3.0, 1 / 3, 1 / 14, 1 / 60]),
    ("deployment_frequency", 2024, [3.0, 1 / 3, 1 / 14, 1 / 60]),
    ("failed_deployment_recovery_time", 2021, [0.5 * HOUR, 0.5 * DAY, 3 * DAY, 200 * DAY]),
    ("failed_deployment_recovery_time", 2023, [0.5 * HOUR, 0.5 * DAY, 3 * DAY, 60 * DAY]),
    ("failed_deployment_recovery_time", 2024, [0.5 * HOUR, 0.5 * DAY, 3 * DAY, 20 * DAY]),
    ("change_fail_rate", 2023, [0.05, 0.10, 0.15, 0.64]),
    ("change_fail_rate", 2024, [0.05, 0.20, 0.10, 0.40]),
]


@pytest.mark.parametrize(("metric", "year", "values"), PUBLISHED)
def test_a_value_from_the_middle_of_each_published_level_has_that_level(metric, year, values):
    names = [level(metric, value, year).names for value in values]
    assert names == [("elite",), ("high",), ("medium",), ("low",)]


def level(metric, value, year):
    """The level of a value that has one."""
    found = level_of(metric, value, year)
    assert found is not None
    return found


def test_three_levels_of_2021_share_one_fail_rate():
    assert level("change_fail_rate", 0.15, 2021).names == ("elite",)
    shared = level("change_fail_rate", 0.2, 2021)
    assert shared.names == ("high", "medium", "low")
    assert "one range" in shared.note


def test_a_fail_rate_of_2024_says_that_levels_are_not_ranked_by_it():
    assert "do not rank" in level("change_fail_rate", 0.2, 2024).note
    assert level("change_fail_rate", 0.2, 2023).note == ""


def test_no_report_has_levels_of_rework_and_nothing_has_a_level_without_a_value():
    assert level_of("deployment_rework_rate", 0.1, 2024) is None
    assert all(level_of(metric, None, year) is None for metric, year, _ in PUBLISHED)


def test_the_organisations_own_table_is_that_of_the_file():
    config = parse_dora(tomllib.loads((ROOT / "config/dora.toml").read_text()), "dora.toml")

    def name(metric, value):
        found = own_level_of(metric, value, config)
        return found and found.names[0]

    assert [name("deployment_frequency", each) for each in (2 / 7, 1 / 7)] == ["elite", "low"]
    assert [name("change_lead_time", each) for each in (47 * HOUR, 48 * HOUR)] == ["elite", "low"]
    assert [name("failed_deployment_recovery_time", each) for each in (3 * HOUR, 5 * HOUR)] == ["elite", "low"]
    assert [name("change_fail_rate", each) for each in (0.14, 0.15)] == ["high", "low"]
    assert name("deployment_rework_rate", 0.5) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"enviroments": ["live"]}, "enviroments"),
        ({"environments": []}, "nothing would be production"),
        ({"attribution_window_hours": 0}, "attribution_window_hours"),
        ({"attribution_window_hours": 1000}, "at most 168"),
        ({"attribution_window_hours": float("nan")}, "attribution_window_hours"),
        ({"levels": {"low": {}}}, "levels"),
        ({"levels": {"elite": {"lead_time": 1}}}, "lead_time"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_name(content, words):
    with pytest.raises(DoraConfigError, match=words) as refused:
        parse_dora(content, "config/dora.toml")
    assert "config/dora.toml" in str(refused.value)


def test_the_command_offers_the_years_that_are_known():
    assert OFFERED == YEARS


def test_intervals_are_those_of_scipy():
    for successes, n in [(0, 5), (1, 7), (50, 100), (7, 7)]:
        expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
        assert wilson(successes, n) == pytest.approx((expected.low, expected.high))
    for count in (0, 1, 30):
        low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
        assert intervals.poisson_rate(count, 2.0) == pytest.approx((low / 2, stats.chi2.ppf(0.975, 2 * count + 2) / 4))


@pytest.mark.parametrize("n", [6, 7, 30, 101])
def test_the_interval_of_a_median_covers_it_in_at_least_95_of_100_samples_and_not_in_all(n):
    rng = random.Random(n)
    bounds = intervals.median_interval_ranks(n)
    assert bounds is not None
    low, high = bounds
    covered = 0
    for _ in range(4_000):
        sample = sorted(rng.lognormvariate(0, 1) for _ in range(n))
        covered += sample[low - 1] <= 1.0 <= sample[high - 1]
    assert 0.94 <= covered / 4_000 < 0.99


@pytest.mark.parametrize("n", range(1, 40))
def test_ranks_of_median_and_p90_are_the_smallest_that_reach_their_share(n):
    for share, rank in ((0.5, intervals.median_rank(n)), (0.9, intervals.p90_rank(n))):
        assert rank >= share * n - 1e-9
        assert rank - 1 < share * n - 1e-9 or rank == 1
