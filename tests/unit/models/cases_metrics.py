"""The metrics model under the laws: few services, series and minutes, so that everything meets."""

from dataclasses import replace
from itertools import groupby

from hypothesis import strategies as st

from tests.unit.models.laws import START, ModelCase
from vigia.events.effects import Rejection
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.samples import Sample
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.database_slow_queries import DatabaseSlowQueries
from vigia.models.detectors.disk_space_low import DiskSpaceLow
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.unusual_values import UnusualValues
from vigia.models.metrics import MetricsConfig, MetricsModel

CONFIG = MetricsConfig(
    series_cap=3,
    series_idle=120.0,
    retention=900.0,
    stale_after=120.0,
    detectors=DetectorConfig(
        problems_per_hour=3,
        high_error_rate=HighErrorRate(
            min_samples=1, open_after=1, close_after=2, min_requests=1.0, learn_windows=1, chance_once_in=2.0
        ),
        database_slow_queries=DatabaseSlowQueries(
            min_queries=1, open_after=1, close_after=1, learn_windows=1, chance_once_in=2.0
        ),
        disk_space_low=DiskSpaceLow(open_after=1, close_after=1),
        unusual_values=UnusualValues(
            learn=0.0, learn_windows=1, open_after=1, close_after=1, open_at=0.5, close_at=0.5
        ),
    ),
)

times = st.floats(0.0, 1_500.0).map(lambda offset: START + offset) | st.builds(
    # where windows end, and where they close
    lambda minute, after: START + 60.0 * minute + after,
    st.integers(-20, 25),
    st.sampled_from([0.0, CONFIG.lateness]),
)
values = st.sampled_from([0.0, -0.0, 0.01, 0.04, 0.2, 0.9, 1e280, -1e280, 5e-324, -3.5]) | st.floats(
    -1e280, 1e280, allow_nan=False
)
labels = st.sampled_from([None, {}, {"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"bad\n": "x"}])
common = {
    "service": st.sampled_from(["shop", "shop", "mail", "not a good\nname"]),
    "metric": st.sampled_from(
        ["error_rate", "error_rate", "latency", "request_rate", "disk_used", "memory_used", "db_query_duration"]
    ),
    "kind": st.sampled_from(["gauge", "gauge", "gauge", "counter"]),
    "labels": labels,
}
singles = st.builds(Sample, ts=times, value=values, **common)
packed = st.builds(Sample, points=st.lists(st.tuples(times, values), min_size=1, max_size=6), **common)

said = {
    "mute_id": st.sampled_from(["m1", "m2"]),
    "service": st.sampled_from(["shop", "mail"]),
    "by": st.sampled_from(["maria", "jo"]),
    "reason": st.just("maintenance"),
}
moments = st.integers(-2, 25).map(lambda minute: START + 60.0 * minute)
mutes = st.builds(
    lambda since, length, **fields: Muted(since=since, until=since + length, at=START, **fields),
    since=moments,
    length=st.sampled_from([60.0, 600.0, 20 * 86_400.0]),
    metric=st.sampled_from(["*", "error_*"]),
    **said,
) | st.builds(MuteLifted, at=moments, **said)


class OneTopic(MetricsModel):
    """Gets events of both topics mixed, and takes them as lanes do: a batch is of one topic."""

    def apply(self, events, times, states, changes):
        for _, run in groupby(range(len(events)), key=lambda index: isinstance(events[index], Sample)):
            first, *others = run
            last, before = (others or [first])[-1] + 1, len(changes.rejections)
            super().apply(events[first:last], times[first:last], states, changes)
            changes.rejections[before:] = [
                Rejection(first + each.index, each.reason, each.detail) for each in changes.rejections[before:]
            ]


CASES = [
    ModelCase("metrics", lambda: MetricsModel(CONFIG), singles | packed),
    ModelCase("metrics-muted", lambda: OneTopic(CONFIG), singles | packed | mutes, pauses=(0.0, 20.0, 70.0, 90_000.0)),
    ModelCase(
        "metrics-forgetful",
        lambda: MetricsModel(replace(CONFIG, series_forget=180.0, problem_forget=240.0)),
        singles | packed,
    ),
]
