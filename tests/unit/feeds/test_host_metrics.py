"""The host feed reads this machine and sends true times."""

import doctest

import pytest

from vigia.events.samples import series_of
from vigia.feeds import host_metrics
from vigia.feeds.host_metrics import Host, events


@pytest.fixture
def host(tmp_path):
    times = iter(range(1_000, 2_000))
    return Host(tmp_path, clock=lambda: float(next(times)), name="build-7")


def test_each_reading_has_one_sample_of_each_of_eight_series(host):
    samples = host.read()
    assert len({series_of(sample).series_id for sample in samples}) == len(samples) == 8
    assert {sample.metric for sample in samples} == {
        "disk_used",
        "disk_free",
        "memory_used",
        "memory_available",
        "cpu_used",
        "load_1m",
    }


def test_the_samples_of_one_reading_have_its_time_and_the_next_reading_a_later_one(host):
    first, second = host.read(), host.read()
    assert {sample.ts for sample in first} == {1_000.0}
    assert {sample.ts for sample in second} == {1_001.0}


def test_shares_lie_between_0_and_100_percent_and_bytes_are_positive(host):
    for sample in host.read():
        if sample.unit == "%":
            assert 0 <= sample.value <= 100
        elif sample.unit == "By":
            assert sample.value > 0
        assert sample.labels["host"] == "build-7"
        assert (sample.service, sample.environment) == ("host", "development")


def test_finite_input_is_so_many_rounds_with_a_pause_between_them(host):
    pauses: list[float] = []

    def pause(seconds):
        pauses.append(seconds)
        return False

    told = list(events(host.read, pause, seconds=0.1, rounds=3))
    assert [(topic, key) for topic, key, _ in told] == [("metrics", "host")] * 3
    assert pauses == [0.1, 0.1]


def test_an_endless_feed_ends_when_it_is_told_to_while_it_pauses(host):
    pauses = iter([False, False, True])
    assert len(list(events(host.read, lambda _: next(pauses)))) == 3


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(host_metrics).failed == 0
