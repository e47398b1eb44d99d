"""A worker's own figures are packed samples that the metrics agent takes, as many whatever the work is."""

from collections import Counter

import msgspec
import pytest

from tests.support.glances import NOON, ROW, beat, glance
from vigia.app.own_metrics import FIGURES, OwnMetrics
from vigia.events.samples import Sample, series_of
from vigia.models.detectors.config import DetectorConfig
from vigia.topics import METRICS


def looked(seconds: int = 3, per_second: int = 100) -> list[Sample]:
    own = OwnMetrics("host-1")
    for second in range(0, seconds * 5, 5):
        counts = {
            "metrics.applied": second * per_second,
            "metrics.invalid": second,
            "metrics.in": 7,
            "windows_closed": 3,
        }
        row = msgspec.structs.replace(ROW, step=second, counts=counts)
        lag = beat(lag={"metrics": 40 + second}, oldest_at=NOON + second - 2)
        own.look(NOON + second, [glance(row=row, busy=second / 10)], [lag], retries=second, resident=1000 + second)
    messages = own.messages()
    assert own.messages() == []
    assert {(row.topic, row.key) for row in messages} == {("metrics", b"vigia")}
    return [msgspec.json.decode(row.value, type=Sample) for row in messages]


def test_each_figure_is_one_packed_sample_with_a_point_for_each_look():
    samples = {sample.metric: sample for sample in looked()}
    assert set(samples) == {figure.name for figure in FIGURES}
    values = {name: [value for _, value in sample.points or []] for name, sample in samples.items()}
    assert values == {
        "stream_lag": [40, 45, 50],
        "stream_oldest_age": [2, 2, 2],
        # rates need two looks
        "stream_applied_rate": [100, 100],
        "stream_invalid_rate": [1, 1],
        "stream_step_duration": [pytest.approx(0.1), pytest.approx(0.1)],
        "stream_retries": [0, 5, 10],
        "worker_resident_memory": [1000, 1005, 1010],
    }
    assert samples["stream_lag"].labels == {"lane": "metrics/1"}
    assert samples["stream_retries"].labels == {"host": "host-1"}
    assert samples["stream_retries"].kind == "counter"


def test_they_are_samples_as_any_other_under_the_key_of_their_service():
    for sample in looked():
        assert series_of(sample).service == "vigia"
        assert METRICS.key_of(sample) == "vigia"


def test_more_work_makes_no_more_messages():
    assert Counter(sample.metric for sample in looked(per_second=1)) == Counter(
        sample.metric for sample in looked(per_second=10**9)
    )


def test_a_lane_that_another_worker_had_meanwhile_has_no_rate_over_that_time():
    own = OwnMetrics("host-1")
    for seconds, busy in ((0, 9.0), (5, 0.5)):
        own.look(NOON + seconds, [glance(busy=busy)], [], 0, 1)
    assert {msgspec.json.decode(row.value, type=Sample).metric for row in own.messages()} == {
        "stream_retries",
        "worker_resident_memory",
    }


def test_no_detector_of_ours_takes_them_for_a_services_figures():
    detector = DetectorConfig().high_error_rate
    assert detector.watches("error_rate", "gauge")
    assert not any(detector.watches(figure.name, figure.kind) for figure in FIGURES)
