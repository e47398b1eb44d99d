"""A worker's own figures are packed samples that the metrics agent takes, as many whatever the work is."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.glances import NOON, ROW, beat, glance
from vigia.app.own_metrics import FIGURES, Bounds, OwnMetrics
from vigia.events.samples import Sample, Series, series_of
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.finder import Finder
from vigia.stores.base import LaneId, OutboxRow, RawRecord
from vigia.stores.records import Records
from vigia.streaming.batches import Batch
from vigia.streaming.intake import Intake
from vigia.streaming.kafka_clock import KafkaClock
from vigia.topics import METRICS

AMPLE = Bounds(partitions=100, slots=100)


def looked(seconds: int = 3, per_second: int = 100) -> list[Sample]:
    own = OwnMetrics(AMPLE)
    for second in range(0, seconds * 5, 5):
        counts = {
            "metrics.applied": second * per_second,
            "metrics.invalid": second,
            "metrics.in": 7,
            "windows_closed": 3,
        }
        row = msgspec.structs.replace(ROW, step=second, counts=counts)
        lag = beat(lag={"metrics": 40 + second}, oldest_at=NOON + second - 2)
        own.look(
            NOON + second, [glance(row=row, busy=second / 10)], [lag], slot=2, retries=second, resident=1000 + second
        )
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
    assert samples["stream_retries"].labels == {"worker": "2"}
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
    own = OwnMetrics(AMPLE)
    for seconds, busy in ((0, 9.0), (5, 0.5)):
        own.look(NOON + seconds, [glance(busy=busy)], [], 0, 0, 1)
    assert {msgspec.json.decode(row.value, type=Sample).metric for row in own.messages()} == {
        "stream_retries",
        "worker_resident_memory",
    }


def test_no_detector_of_ours_takes_them_for_a_services_figures():
    finder = Finder(DetectorConfig())
    assert finder.watch(Series("id", "vigia", "production", "error_rate", (), "gauge", "1")).detectors
    for figure in FIGURES:
        assert not finder.watch(Series("id", "vigia", "production", figure.name, (), figure.kind, figure.unit))


@pytest.mark.parametrize("ahead", [-86_400.0, 0.0, 400.0])
def test_however_wrong_a_workers_clock_is_its_figures_are_taken(ahead):
    clock = KafkaClock(lambda: NOON + ahead, lambda: 0.0)
    clock.learn(NOON + ahead, NOON)
    own = OwnMetrics(AMPLE)
    own.look(clock.now(), [], [beat(lag={"metrics": 1}, oldest_at=NOON - 5)], 0, 0, 1)
    rows = own.messages()
    assert [value for row in rows for _, value in points(row) if metric(row) == "stream_oldest_age"] == [
        pytest.approx(5.0, abs=0.01)
    ]
    # as the intake of the metrics agent sees them when they arrive
    records = [
        RawRecord("metrics", 0, offset, round(NOON * 1000), row.key, row.value) for offset, row in enumerate(rows)
    ]
    taken = Intake(METRICS, lambda service, at: "", 300.0).take(Batch("metrics", 0, 1, 0, Records.of(records)), 1)
    assert (len(taken.events), taken.refused, taken.moved) == (len(rows), [], [])


def metric(row: OutboxRow) -> str:
    return msgspec.json.decode(row.value, type=Sample).metric


def points(row: OutboxRow) -> list[tuple[float, float]]:
    return msgspec.json.decode(row.value, type=Sample).points or []


def test_a_worker_without_a_slot_tells_of_its_lanes_alone():
    own = OwnMetrics(AMPLE)
    own.look(NOON, [], [beat(lag={"metrics": 1})], None, 0, 1)
    told = [msgspec.json.decode(row.value, type=Sample) for row in own.messages()]
    assert {sample.metric for sample in told} == {"stream_lag", "stream_oldest_age"}


@given(st.integers(1, 3_000), st.integers(1, 6), st.integers(0, 300), st.integers(0, 300))
def test_all_workers_together_have_no_more_series_than_a_service_may_have(series_cap, agents, partitions, workers):
    own = OwnMetrics(Bounds.within(series_cap, agents))
    beats = [
        beat(agent=f"a{agent}", partition=number, lag={"metrics": 1})
        for agent in range(agents)
        for number in range(partitions)
    ]
    lanes = [LaneId(each.agent, each.partition) for each in beats]
    for second in range(2):
        rows = [msgspec.structs.replace(ROW, lane=lane, step=second) for lane in lanes]
        own.look(NOON + second, [glance(row=row, busy=float(second)) for row in rows], beats, 0, 0, 1)
    series = {(metric(row), *labels(row)) for row in own.messages()}
    for slot in range(workers):
        own.look(NOON, [], [], slot, 0, 1)
    series |= {(metric(row), *labels(row)) for row in own.messages()}
    assert len(series) <= series_cap


def test_lanes_without_figures_are_told_of_once(caplog):
    own = OwnMetrics(Bounds(partitions=1, slots=1))
    for _ in range(2):
        own.look(NOON, [glance()], [beat(lag={"metrics": 1})], 0, 0, 1)
    assert [record.message.partition(" have no")[0] for record in caplog.records] == ["lanes from partition 1 on"]


def labels(row: OutboxRow) -> list[str]:
    return [f"{name}={value}" for name, value in (msgspec.json.decode(row.value, type=Sample).labels or {}).items()]
