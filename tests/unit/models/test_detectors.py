"""high_error_rate: when it opens, when it resolves, and what it keeps quiet about; and its configuration."""

import tomllib
from pathlib import Path

import pytest

from vigia.models.detectors.base import ClosedWindow
from vigia.models.detectors.config import DetectorConfig, DetectorConfigError, parse_detectors
from vigia.models.detectors.high_error_rate import HighErrorRate

ROOT = Path(__file__).resolve().parents[3]


def window(mean, minute=0, count=10, low=0.0, high=1.0, stale=False):
    start = 60 * minute
    return ClosedWindow(start=start, end=start + 60, count=count, sum=mean * count, min=low, max=high, stale=stale)


def judged(detector, windows):
    """Return the finding of each window, or None."""
    state, found = None, []
    for each in windows:
        state, finding = detector.judge(state, each)
        found.append(finding)
    return found


def findings(detector, windows):
    return [finding.status if finding else "" for finding in judged(detector, windows)]


def test_it_opens_at_the_limit_and_resolves_after_three_windows_below_the_lower_one():
    means = [0.049, 0.05, 0.9, 0.02, 0.02, 0.02, 0.02, 0.06]
    assert findings(HighErrorRate(), map(window, means)) == ["", "open", "", "", "", "resolved", "", "open"]


def test_between_the_limits_nothing_changes_and_a_run_ends():
    detector = HighErrorRate(open_after=2, close_after=2)
    means = [0.06, 0.04, 0.06, 0.06, 0.01, 0.04, 0.01, 0.01]
    assert findings(detector, map(window, means)) == ["", "", "", "open", "", "", "", "resolved"]


def test_a_rate_that_swings_around_the_upper_limit_opens_one_problem():
    assert findings(HighErrorRate(), [window(0.06 if minute % 2 else 0.045) for minute in range(50)]).count("open") == 1


@pytest.mark.parametrize(
    "unknown",
    [window(0.0, count=2), window(0.01, low=-0.1), window(0.02, high=1.5), window(0.0, count=1)],
    ids=["too few samples", "negative", "above one", "one sample"],
)
def test_a_window_that_says_nothing_neither_resolves_nor_interrupts(unknown):
    low = window(0.0)
    assert findings(HighErrorRate(), [window(0.5), low, unknown, low, unknown, low])[-1] == "resolved"
    assert findings(HighErrorRate(), [window(0.5), unknown, unknown, unknown, unknown])[1:] == [""] * 4


def test_few_samples_or_a_percentage_open_nothing():
    assert findings(HighErrorRate(), [window(0.9, count=2), window(7.0, high=9.0)]) == ["", ""]


def test_missing_minutes_are_neither_fine_nor_broken():
    high = [window(0.5, minute) for minute in (0, 100)]
    low = [window(0.0, minute) for minute in (200, 300, 400)]
    assert findings(HighErrorRate(open_after=2), [*high, *low]) == ["", "open", "", "", "resolved"]


def test_the_versions_and_numbers_of_problems_count_up():
    found = judged(HighErrorRate(close_after=1), map(window, [0.5, 0.0, 0.5, 0.0]))
    assert [(finding.number, finding.version, finding.status) for finding in found] == [
        (1, 1, "open"),
        (1, 2, "resolved"),
        (2, 1, "open"),
        (2, 2, "resolved"),
    ]


@pytest.mark.parametrize(("mean", "severity"), [(0.5, "P0"), (0.25, "P1"), (0.1, "P2"), (0.05, "P3")])
def test_the_severity_follows_the_mean_and_stays_until_the_end(mean, severity):
    opened, resolved = judged(HighErrorRate(close_after=1), [window(mean), window(0.0, minute=1)])
    assert (opened.severity, resolved.severity) == (severity, severity)
    assert resolved.opened_at == opened.opened_at == 60.0


def test_a_finding_gives_its_numbers_and_a_sentence():
    (finding,) = judged(HighErrorRate(), [window(0.2, minute=3, high=0.8)])
    assert finding.evidence == {
        "mean": 0.2, "max": 0.8, "samples": 10.0, "limit": 0.05, "windows": 1.0, "window_start": 180.0
    }  # fmt: skip
    assert finding.why == (
        "The error rate is 20.0% in the mean of 10 samples; it has been at or above the limit of 5.0% for one window."
    )


def test_a_stale_problem_becomes_an_open_one_when_the_windows_have_caught_up():
    windows = [window(0.5, stale=True), window(0.6, stale=True), window(0.7), window(0.7)]
    stale, unchanged, opened, same = judged(HighErrorRate(), windows)
    assert (stale.status, stale.number, stale.version, stale.severity) == ("stale", 1, 1, "P0")
    assert (opened.status, opened.number, opened.version, opened.severity) == ("open", 1, 2, "P0")
    assert (unchanged, same) == (None, None)


def test_a_stale_problem_that_ends_in_the_backlog_is_resolved_without_having_been_open():
    low = window(0.0, stale=True)
    assert findings(HighErrorRate(), [window(0.5, stale=True), low, low, low]) == ["stale", "", "", "resolved"]
    assert findings(HighErrorRate(), [window(0.5, stale=True), low, low, window(0.0)])[-1] == "resolved"


def test_only_gauges_of_the_configured_metrics_are_watched():
    detector = HighErrorRate(metrics=("error_rate", "http.errors"))
    assert detector.watches("http.errors", "gauge")
    assert not detector.watches("error_rate", "counter")
    assert not detector.watches("latency", "gauge")


def test_the_shipped_file_states_every_key_with_its_default():
    content = tomllib.loads((ROOT / "config" / "detectors.toml").read_text())
    assert parse_detectors(content, "config/detectors.toml") == DetectorConfig()
    assert set(content["high_error_rate"]) == set(HighErrorRate.__struct_fields__)
    assert set(content["high_error_rate"]["severity"]) == {"P0", "P1", "P2"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"high_eror_rate": {}}, ["high_eror_rate"]),
        ({"high_error_rate": {"opens_at": 0.1}}, ["opens_at", "high_error_rate"]),
        ({"high_error_rate": {"severity": {"P5": 0.1}}}, ["P5", "severity"]),
        ({"high_error_rate": {"open_at": "0.1"}}, ["open_at", "float"]),
        ({"high_error_rate": {"open_at": 0.01}}, ["close_at", "open_at"]),
        ({"high_error_rate": {"open_after": 0}}, ["open_after"]),
        ({"high_error_rate": {"min_samples": -1}}, ["min_samples"]),
        ({"high_error_rate": {"severity": {"P0": 0.01}}}, ["P0", "severity"]),
        ({"high_error_rate": {"open_at": float("nan")}}, ["open_at"]),
    ],
)
def test_a_wrong_configuration_names_the_file_and_the_key(content, words):
    with pytest.raises(DetectorConfigError) as caught:
        parse_detectors(content, "config/detectors.toml")
    for word in ["config/detectors.toml", *words]:
        assert word in str(caught.value)
