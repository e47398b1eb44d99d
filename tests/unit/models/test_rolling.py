"""Hours and days are the samples that fell into them, whatever the order in which they came, and however late."""

from collections import Counter, defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.samples import Sample
from vigia.events.summaries import DaySummary, HourSummary, KeptSummary, SeriesSummary, WindowSummary
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.models.windows import rolling
from vigia.models.windows.rows import rolled_rows
from vigia.models.windows.totals import sketch_in, totals_of

HOUR, DAY = 3_600, 86_400
MIDNIGHT = 1_699_920_000.0
LONG = 100.0 * DAY
END = Tick(START + LONG), Tick(START + 2 * LONG)
"""All windows are closed by the first, and rolled up by the second."""


def lane_of(reload=True, **config):
    return Lane(MetricsModel(MetricsConfig(**config)), reload)


def sent(metric, *offsets, value=1.0, at=0.0, kind="gauge"):
    points = [(MIDNIGHT + each, value) for each in offsets]
    return Sent(Sample(service="shop", metric=metric, points=points, kind=kind), START + at)


def metric_of(lane):
    return {row.series_id: row.metric for row in lane.rows.values() if isinstance(row, SeriesSummary)}


def counts(lane, kind):
    """(metric, start after midnight) -> (count, late)."""
    metrics = metric_of(lane)
    return {
        (metrics[row.series_id], row.start - MIDNIGHT): (row.count, row.late)
        for row in lane.rows.values()
        if type(row) is kind
    }


def bytes_of(lane):
    """How many bytes of a state say what of its one series is still to be rolled up."""
    (spot,) = lane.states["shop"].series
    return len(msgspec.msgpack.encode(spot.held.unrolled))


def every_minute(metric, hours, kind="gauge"):
    seconds = [60.0 * minute + 30.0 for minute in range(60 * hours)]
    return [sent(metric, second, at=second, kind=kind) for second in seconds]


def test_an_hour_is_made_soon_after_it_is_over_and_the_day_after_its_last_hour():
    lane = lane_of()
    messages = every_minute("latency", 26)
    for first in range(0, len(messages), 10):
        batch = messages[first : first + 10]
        lane.run([*batch, Tick(batch[-1].time)])
    assert counts(lane, HourSummary) == {("latency", HOUR * hour): (60, 0) for hour in range(25)}
    assert counts(lane, DaySummary) == {("latency", 0): (1_440, 0)}
    assert lane.counts["hours_rolled"] == 25


def test_an_hour_costs_one_written_row_however_many_windows_it_has(monkeypatch):
    lane, written = lane_of(), Counter[str]()
    make = rolled_rows

    def noting(kind, length, rows):
        made = make(kind, length, rows)
        written[kind.__name__] += len(made)
        return made

    monkeypatch.setattr(rolling, "rolled_rows", noting)
    lane.run([*every_minute("latency", 24), *END])
    assert written == {"HourSummary": 24, "DaySummary": 1}


def test_a_late_sample_corrects_its_window_its_hour_and_its_day():
    lane = lane_of().run([*every_minute("latency", 30), Tick(START + 31 * HOUR)])
    late = sent("latency", 10.0 * HOUR + 90.0, value=9.0, at=31.0 * HOUR)
    lane.run([late, Tick(START + 31 * HOUR + 300)])
    assert counts(lane, WindowSummary)["latency", 10 * HOUR + 60] == (2, 1)
    assert counts(lane, HourSummary)["latency", 10 * HOUR] == (61, 1)
    assert counts(lane, DaySummary)["latency", 0] == (1_441, 1)
    day = min((row for row in lane.rows.values() if isinstance(row, DaySummary)), key=lambda row: row.start)
    assert (day.max, day.sum) == (9.0, 1_449.0)


def test_a_span_without_samples_has_no_row():
    lane = lane_of().run([sent("latency", 30.0), sent("latency", 5.0 * HOUR), sent("latency", 3.0 * DAY)])
    lane.run(END)
    assert sorted(start for _, start in counts(lane, HourSummary)) == [0, 5 * HOUR, 3 * DAY]
    assert sorted(start for _, start in counts(lane, DaySummary)) == [0, 3 * DAY]


def test_the_last_hour_of_a_series_that_falls_silent_is_made_while_its_service_goes_on():
    lane = lane_of().run([sent("gone", 30.0)])
    lane.run([*every_minute("steady", 4), Tick(START + 4 * HOUR)])
    assert ("gone", 0) in counts(lane, HourSummary)


def test_what_a_forgotten_series_leaves_is_rolled_up_and_merged_when_it_comes_anew():
    lane = lane_of(series_forget=HOUR).run([sent("pod", 30.0), *every_minute("steady", 3)])
    assert [spot.held.series.metric for spot in lane.states["shop"].series] == ["steady"]
    lane.run([sent("pod", 3 * HOUR + 30.0, at=3.0 * HOUR), sent("pod", 45.0, at=3.0 * HOUR), *END])
    assert counts(lane, HourSummary)["pod", 0] == (2, 1)
    assert counts(lane, DaySummary)["pod", 0] == (3, 1)
    assert not lane.states["shop"].rolling.forgotten


@pytest.mark.parametrize("reload", [True, False])
def test_a_step_reads_a_bounded_number_of_rows_back_and_the_next_ones_go_on(monkeypatch, reload):
    monkeypatch.setattr(rolling, "ROWS_A_STEP", 600)
    lane = lane_of(reload)
    read: list[int] = []
    make, fire = rolled_rows, lane.model.fire

    def noting(kind, length, rows):
        read[-1] += len(rows)
        return make(kind, length, rows)

    def one_step(timer, *rest):
        # one fire is one step here
        if timer.kind == rolling.ROLL:
            read.append(0)
        fire(timer, *rest)

    monkeypatch.setattr(rolling, "rolled_rows", noting)
    monkeypatch.setattr(lane.model, "fire", one_step)
    for number in range(5):
        lane.run(every_minute(f"m{number}", 10))
    lane.run(END)
    assert counts(lane, HourSummary) == {(f"m{m}", HOUR * hour): (60, 0) for m in range(5) for hour in range(10)}
    assert counts(lane, DaySummary) == {(f"m{m}", 0): (600, 0) for m in range(5)}
    assert max(read) <= 600 + 60
    assert len(read) >= 3_000 / 660
    assert lane.timers == {}


def test_a_backfill_of_years_is_a_few_spans_in_the_state():
    lane = lane_of()
    points = [float(HOUR * hour) for hour in range(-6_000, 0)]
    for first in range(0, len(points), 1_500):
        lane.run([sent("old", *points[first : first + 1_500])])
    assert bytes_of(lane) < 20
    lane.run(END)
    assert len(counts(lane, HourSummary)) == 6_000


def test_from_when_rows_are_kept_moves_on_by_days_and_never_past_what_is_still_to_be_read():
    lane = lane_of(retention=2.0 * DAY, retention_hours=10.0 * DAY, retention_days=30.0 * DAY)
    for day in range(40):
        lane.run([sent("latency", DAY * day + 30.0, at=DAY * day), Tick(START + DAY * day + 2 * HOUR)])
    (row,) = [row for row in lane.rows.values() if isinstance(row, KeptSummary)]
    assert [row.windows_from - MIDNIGHT, row.hours_from - MIDNIGHT, row.days_from - MIDNIGHT] == [
        37 * DAY,
        29 * DAY,
        9 * DAY,
    ]
    lane.run([sent("other", 39.0 * DAY, at=39.0 * DAY)])
    lane.run([sent("latency", 400.0 * DAY, at=39.0 * DAY + 60)])
    state = lane.states["shop"]
    assert state.open or state.rolling.due is not None
    lane.run(END)
    (row,) = [row for row in lane.rows.values() if isinstance(row, KeptSummary)]
    assert row.windows_from - MIDNIGHT == 397 * DAY


offsets = st.one_of(
    st.floats(0.0, 3.0 * DAY, exclude_max=True),
    st.builds(lambda hour, after: HOUR * hour + after, st.integers(0, 71), st.sampled_from([0.0, 59.0, 3_599.0])),
)
values = st.floats(-1e6, 1e6).map(lambda value: value if abs(value) > 1e-6 else 0.0)
messages = st.tuples(
    st.sampled_from(["a", "b"]),
    st.lists(st.tuples(offsets, values), min_size=1, max_size=8),
    st.sampled_from([0.0, 1_800.0]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(messages, max_size=10), st.booleans(), st.sampled_from([90.0, 1.0 * DAY]))
def test_hours_and_days_are_what_was_sent_within_them(history, reload, forget):
    lane, clock = lane_of(reload, retention=30.0 * DAY, series_forget=forget), START
    exact: dict[int, dict[Any, list[float]]] = {HOUR: defaultdict(list), DAY: defaultdict(list)}
    for metric, placed, pause in history:
        clock += pause
        points = [(MIDNIGHT + offset, value) for offset, value in placed]
        lane.run([Sent(Sample(service="shop", metric=metric, points=points), clock), Tick(clock)])
        for length, spans in exact.items():
            for at, value in points:
                spans[metric, at // length * length].append(value)
    lane.run([Tick(clock + LONG), Tick(clock + 2 * LONG)])
    assert lane.rejections == []
    metrics = metric_of(lane)
    for kind, length in ((HourSummary, HOUR), (DaySummary, DAY)):
        found = {(metrics[row.series_id], row.start): row for row in lane.rows.values() if type(row) is kind}
        assert found.keys() == exact[length].keys()
        for place, row in found.items():
            of = exact[length][place]
            whole = totals_of(of)
            assert (row.count, row.sum, row.min, row.max) == (len(of), whole.sum, min(of), max(of))
            assert row.sketch == whole.digest
            for q in (0.5, 0.95, 0.99):
                true = sorted(of)[int(q * (len(of) - 1))]
                assert abs(sketch_in(row.sketch).quantile(q) - true) <= 0.01 * abs(true)
    assert lane.timers == {}


def test_a_service_in_the_middle_of_an_hour_asks_for_one_timer_and_few_bytes():
    lane = lane_of().run(every_minute("latency", 1)[:30])
    state = lane.states["shop"]
    assert [spot.held.unrolled.hours for spot in state.series] == [[(int(MIDNIGHT) // HOUR, int(MIDNIGHT) // HOUR + 1)]]
    assert [kind for kind, _ in lane.timers if kind == rolling.ROLL] == [rolling.ROLL]
    assert bytes_of(lane) < 20
