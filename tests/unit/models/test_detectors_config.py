"""config/detectors.toml: every key with its default, strict, with overrides and mutes."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.unit.models.detecting import series
from vigia.events.summaries import SeriesSummary
from vigia.models.detectors.config import DetectorConfig, DetectorConfigError, parse_detectors
from vigia.models.detectors.finder import Finder
from vigia.models.detectors.limits import limits_of

ROOT = Path(__file__).resolve().parents[3]
MUTE = {"from": "2026-01-31T22:00:00Z", "until": "2026-02-01T02:00:00Z", "author": "maria", "reason": "moved"}


def test_the_shipped_file_states_every_key_with_its_default():
    content = tomllib.loads((ROOT / "config" / "detectors.toml").read_text())
    assert parse_detectors(content, "config/detectors.toml") == DetectorConfig()
    # but for overrides and mutes, of which it has none
    everything = msgspec.json.decode(msgspec.json.encode(DetectorConfig()))
    assert content == {key: value for key, value in everything.items() if key not in {"override", "mute"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"high_eror_rate": {}}, ["high_eror_rate"]),
        ({"high_error_rate": {"opens_at": 0.1}}, ["opens_at", "high_error_rate"]),
        ({"high_error_rate": {"severity": {"P5": 0.1}}}, ["P5", "severity"]),
        ({"high_error_rate": {"open_at": "0.1"}}, ["open_at", "float"]),
        ({"high_error_rate": {"open_at": 0.01}}, ["close_at", "open_at"]),
        ({"high_error_rate": {"rise_at": 0.5}}, ["rise_at", "open_at"]),
        ({"high_error_rate": {"rise_factor": 1.0}}, ["rise_factor"]),
        ({"high_error_rate": {"open_after": 0}}, ["open_after"]),
        ({"high_error_rate": {"min_samples": -1}}, ["min_samples"]),
        ({"high_error_rate": {"flap_within": float("nan")}}, ["flap_within"]),
        ({"high_error_rate": {"severity": {"P0": 0.01}}}, ["P0", "severity"]),
        ({"high_error_rate": {"open_at": float("nan")}}, ["open_at"]),
        ({"disk_space_low": {"open_at": 0.99}}, ["open_at", "p1_at"]),
        ({"disk_space_low": {"soon_hours": 100.0}}, ["soon_hours", "later_hours"]),
        ({"memory_leak": {"limit_bytes": -1.0}}, ["limit_bytes"]),
        ({"database_slow_queries": {"share_at": 1.5}}, ["share_at"]),
        ({"database_slow_queries": {"p95_at": 0.0}}, ["p95_at"]),
        ({"database_slow_queries": {"learn_windows": 1_441}}, ["learn_windows", "1440"]),
        ({"high_error_rate": {"learn_windows": 0}}, ["learn_windows"]),
        ({"unusual_values": {"open_at": 1.0}}, ["open_at"]),
        ({"unusual_values": {"memory": 0}}, ["memory"]),
        ({"problems_per_hour": 0}, ["problems_per_hour"]),
        ({"override": [{"detector": "disk", "limits": {}}]}, ["disk", "disk_space_low"]),
        ({"override": [{"detector": "memory_leak", "limits": {"soon": 1.0}}]}, ["number 1", "memory_leak", "soon"]),
        ({"override": [{"detector": "memory_leak", "limits": {}, "servce": "x"}]}, ["servce"]),
        ({"mute": [{**MUTE, "detectors": ["disk"]}]}, ["number 1", "disk"]),
        ({"mute": [{**MUTE, "author": " "}]}, ["author"]),
        ({"mute": [{**MUTE, "until": MUTE["from"]}]}, ["until"]),
        ({"mute": [{**MUTE, "from": "2026-01-31T22:00:00"}]}, ["from", "offset"]),
        ({"mute": [{key: value for key, value in MUTE.items() if key != "reason"}]}, ["reason"]),
    ],
)
def test_a_wrong_configuration_names_the_file_and_the_key(content, words):
    with pytest.raises(DetectorConfigError) as caught:
        parse_detectors(content, "config/detectors.toml")
    for word in ["config/detectors.toml", *words]:
        assert word in str(caught.value)


def test_a_mute_of_the_file_is_dated_with_an_offset():
    content = tomllib.loads(
        '[[mute]]\nservice = "shop"\nfrom = 2026-01-31T22:00:00Z\nuntil = 2026-02-01T02:00:00+01:00\n'
        'author = "maria"\nreason = "moved"\n'
    )
    (mute,) = parse_detectors(content, "detectors.toml").mute
    assert [mute.holds(series("x"), "memory_leak", at) for at in (1769896799, 1769896800, 1769907599, 1769907600)] == [
        False, True, True, False
    ]  # fmt: skip


def test_a_mute_of_the_file_may_be_about_what_several_services_share():
    (mute,) = parse_detectors({"mute": [{**MUTE, "detectors": ["shared_dependency"]}]}, "detectors.toml").mute
    assert mute.detectors == ("shared_dependency",)


def limits(content, of):
    ((detector, _),) = Finder(parse_detectors(content, "detectors.toml")).watch(of).detectors
    return detector


def test_the_last_override_that_matches_counts_and_changes_only_what_it_names():
    content = {
        "high_error_rate": {"min_samples": 7},
        "override": [
            {"detector": "high_error_rate", "service": "sh*", "limits": {"open_at": 0.2, "severity": {"P0": 0.9}}},
            {"detector": "high_error_rate", "labels": {"zone": "a*"}, "limits": {"close_at": 0.01}},
            {"detector": "memory_leak", "limits": {"enabled": False}},
        ],
    }
    first = limits(content, series("error_rate"))
    assert (first.open_at, first.close_at, first.min_samples, first.severity.p0, first.severity.p1) == (
        0.2, 0.03, 7, 0.9, 0.25
    )  # fmt: skip
    second = limits(content, series("error_rate", labels={"zone": "a1"}))
    assert (second.open_at, second.close_at) == (0.05, 0.01)
    assert limits(content, series("error_rate", service="mail")).open_at == 0.05


def test_the_general_detector_looks_at_what_no_rule_covers_and_a_rule_that_is_off_covers_too():
    finder = Finder(parse_detectors({"memory_leak": {"enabled": False}}, "detectors.toml"))

    def names(of):
        return [detector.name for detector, _ in finder.watch(of).detectors]

    assert names(series("error_rate")) == ["high_error_rate"]
    assert names(series("disk_used", "%")) == ["disk_space_low"]
    assert names(series("db_query_duration", "ms")) == ["database_slow_queries"]
    assert names(series("memory_used", "%")) == []
    assert names(series("queue_length")) == ["unusual_values"]
    assert names(series("queue_length", kind="counter")) == []
    assert names(series("stream_lag", service="vigia")) == []
    off = Finder(parse_detectors({"unusual_values": {"enabled": False}}, "detectors.toml"))
    assert off.watch(series("queue_length")).detectors == ()


def test_only_series_that_others_ask_for_are_kept():
    finder = Finder(DetectorConfig())
    assert [finder.watch(series(name)).kept for name in ("request_rate", "memory_limit", "error_rate")] == [
        True, True, False
    ]  # fmt: skip


def test_a_detector_that_is_off_has_no_limits_to_draw():
    disk = SeriesSummary(
        series_id="", service="db", environment="production", metric="disk_used", labels="", kind="gauge", unit="%",
        first_seen=0.0,
    )  # fmt: skip
    off = {"enabled": False}
    assert limits_of(DetectorConfig(), disk) != []
    assert limits_of(parse_detectors({"disk_space_low": off}, "detectors.toml"), disk) == []
    one = {"detector": "disk_space_low", "service": "db", "limits": off}
    assert limits_of(parse_detectors({"override": [one]}, "detectors.toml"), disk) == []
