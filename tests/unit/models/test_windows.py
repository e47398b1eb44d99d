"""Windows: whatever the order of arrival, the batches and the ticks, the rows are those of a plain recomputation."""

from collections import defaultdict
from itertools import permutations
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, ModelCase, Sent, Tick
from vigia.events.samples import MAX_VALUE, Sample, series_of
from vigia.events.summaries import SeriesSummary, WindowSummary
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.models.windows.sketch import Sketch
from vigia.models.windows.state import FOLD
from vigia.models.windows.totals import sketch_in

YEAR = 365 * 86_400.0


def model(**settings):
    return MetricsModel(MetricsConfig(**settings))


def sample(offset, value=1.0, service="shop", metric="latency", **fields):
    return Sample(service=service, metric=metric, ts=START + offset, value=value, **fields)


def windows(lane):
    found = [row for row in lane.rows.values() if isinstance(row, WindowSummary)]
    return {int(row.start - START): row for row in sorted(found, key=lambda row: row.start)}


def recomputed(script, refused=()):
    """Count, exact sum, min, max and sketch of every window by brute force."""
    values = defaultdict(list)
    sent = [item.event for item in script if isinstance(item, Sent)]
    for index, event in enumerate(sent):
        if index not in refused:
            for ts, value in event.points or [(event.ts, event.value)]:
                values[series_of(event).series_id, int(ts // 60) * 60].append(value)
    return {
        name: (len(each), fsum(each), min(each), max(each), Sketch.of(each).encode()) for name, each in values.items()
    }


times = st.integers(-10_000, 10_000).map(lambda tenth: START + tenth / 10) | st.floats(START - 600, START + 600)
values = st.floats(-1e9, 1e9) | st.sampled_from([0.0, 0.1, MAX_VALUE, -MAX_VALUE, 1e-300])
common = {"service": st.sampled_from(["a", "b"]), "metric": st.sampled_from(["latency", "error_rate"])}
any_sample = st.builds(Sample, ts=times, value=values, **common) | st.builds(
    Sample, points=st.lists(st.tuples(times, values), min_size=1, max_size=40), **common
)
case = ModelCase("windows", model, any_sample, pauses=(0.0, 1.0, 30.0, 61.0, 500.0))


@given(
    script=case.scripts(max_size=60),
    cuts=st.sets(st.integers(0, 60)),
    lateness=st.sampled_from([0.0, 0.1, 5.0, 90.0]),
    series_idle=st.sampled_from([0.0, 30.0, 300.0]),
    reload=st.booleans(),
)
def test_rows_equal_a_plain_recomputation_for_any_order_batches_and_ticks(script, cuts, lateness, series_idle, reload):
    script = [*script, Tick(START + YEAR), Tick(START + 2 * YEAR)]
    lane = Lane(model(lateness=lateness, series_idle=series_idle), reload).run(script, cuts)
    found = {
        (row.series_id, row.start): (row.count, row.sum, row.min, row.max, sketch_in(row.sketch).encode())
        for row in lane.rows.values()
        if isinstance(row, WindowSummary)
    }
    assert found == recomputed(script)
    assert all(0 <= row.late <= row.count for row in windows(lane).values())
    assert lane.timers == {}


def test_a_window_closes_when_the_watermark_reaches_its_end_and_not_before():
    lane = Lane(model()).run([Sent(sample(10.0), START), Sent(sample(64.9), START)])
    assert windows(lane) == {}
    lane.run([Sent(sample(65.0), START)])
    assert windows(lane)[0].count == 1
    assert windows(lane)[0].late == 0


def test_one_service_does_not_close_the_windows_of_another():
    lane = Lane(model()).run([Sent(sample(10.0), START), Sent(sample(500.0, service="mail"), START)])
    assert windows(lane) == {}


def test_a_late_sample_corrects_its_closed_window():
    lane = Lane(model()).run([Sent(sample(10.0, 2.0), START), Sent(sample(70.0), START)])
    lane.run([Sent(sample(59.0, -1.0), START)])
    row = windows(lane)[0]
    assert (row.count, row.sum, row.min, row.max, row.late) == (2, 1.0, -1.0, 2.0, 1)
    assert sketch_in(row.sketch) == Sketch.of([2.0, -1.0])
    assert lane.counts["late_samples"] == 1


def test_a_late_sample_of_a_window_that_never_existed_makes_its_row():
    lane = Lane(model()).run([Sent(sample(600.0), START), Sent(sample(59.0), START)])
    assert windows(lane)[0].late == windows(lane)[0].count == 1
    assert lane.counts["windows_closed"] == 0


def test_the_points_of_a_message_are_judged_by_the_watermark_before_it():
    points = [(START + offset, 1.0) for offset in (600.0, 0.0, 300.0, 1.0)]
    lane = Lane(model()).run([Sent(Sample(service="shop", metric="latency", points=points), START)])
    assert {start: (row.count, row.late) for start, row in windows(lane).items()} == {0: (2, 0), 300: (1, 0)}
    assert lane.counts["late_samples"] == 0


def test_a_silent_service_closes_by_the_clock_of_the_lane():
    lane = Lane(model()).run([Sent(sample(10.0), START + 10)])
    lane.run([Tick(START + 69)])
    assert windows(lane) == {}
    lane.run([Tick(START + 70)])
    assert windows(lane)[0].count == 1
    assert ("idle", "shop") not in lane.timers
    lane.run([Sent(sample(20.0), START + 71)])
    assert windows(lane)[0].late == 1


def test_a_timer_that_fires_early_waits_for_the_silence():
    lane = Lane(model()).run([Sent(sample(10.0), START + 10), Sent(sample(40.0), START + 40), Tick(START + 75)])
    assert windows(lane) == {}
    assert lane.timers["idle", "shop"] == START + 100


def test_the_timer_is_not_moved_by_batches_and_windows_while_it_is_pending():
    lane = Lane(model()).run([Sent(sample(10.0), START + 10)])
    assert lane.timers["idle", "shop"] == START + 70
    lane.run([Sent(sample(11.0), START + 20), Sent(sample(61.0), START + 30)])
    assert lane.timers["idle", "shop"] == START + 70


def test_a_replay_of_old_events_closes_nothing_early_while_samples_arrive():
    lane = Lane(model())
    for second in range(0, 50, 2):
        lane.run([Sent(sample(second - YEAR), START + second * 20), Tick(START + second * 20 + 39)])
    assert windows(lane) == {}


def test_a_replay_that_pauses_goes_on_where_it_was():
    lane = Lane(model()).run([Sent(sample(10.0 - YEAR), START), Tick(START + 3_600)])
    lane.run([Sent(sample(80.0 - YEAR), START + 3_601), Sent(sample(150.0 - YEAR), START + 3_602)])
    assert [(row.count, row.late) for row in windows(lane).values()] == [(1, 0), (1, 0)]
    assert lane.rejections == []


def test_a_window_that_ends_ahead_of_the_clock_waits_for_it():
    lane = Lane(model()).run([Sent(sample(10.0), START), Sent(sample(250.0), START), Tick(START + 100)])
    assert list(windows(lane)) == [0]
    assert lane.timers["idle", "shop"] == START + 305
    lane.run([Tick(START + 305)])
    assert list(windows(lane)) == [0, 240]


def test_the_clock_closes_only_the_windows_whose_lateness_is_over():
    lane = Lane(model(lateness=90.0)).run([Sent(sample(10.0), START), Sent(sample(70.0), START), Tick(START + 150)])
    assert list(windows(lane)) == [0]
    assert lane.timers["idle", "shop"] == START + 210


@pytest.mark.parametrize("lateness", [0.1, 0.3, 5.7, 59.9])
def test_a_window_closes_at_its_end_plus_lateness_whatever_floats_round_to(lateness):
    for minute in range(200):
        end = START + 60.0 * minute + 60.0
        first, last = (Sample(service="shop", metric="latency", ts=ts, value=1.0) for ts in (end - 1, end + lateness))
        lane = Lane(model(lateness=lateness)).run([Sent(first, START), Sent(last, START)])
        assert len(windows(lane)) == 1


def test_a_window_closes_even_when_subtracting_the_lateness_would_round_below_its_end():
    end, lateness = 3_420, 2002.2524785945538
    assert (end + lateness) - lateness < end
    sent = [Sent(Sample(service="shop", metric="m", ts=ts, value=1.0), START) for ts in (end - 1.0, end + lateness)]
    assert len(windows(Lane(model(lateness=lateness)).run(sent))) == 1


def test_a_sample_exactly_at_the_end_plus_lateness_closes_in_the_hot_loop_too():
    lane = Lane(model(), reload=False)
    lane.run([Sent(sample(10.0), START), Sent(sample(64.0), START), Sent(sample(65.0), START)])
    assert list(windows(lane)) == [0]


def test_a_sample_older_than_the_retention_is_refused_with_both_times():
    lane = Lane(model(retention=3_600.0)).run([Sent(sample(3_664.9), START), Sent(sample(0.0), START)])
    assert lane.rejections == []
    lane.run([Sent(sample(3_665.0), START), Sent(sample(59.9), START), Sent(sample(60.0), START)])
    assert lane.rejections == [(3, "too_old")]
    assert windows(lane)[0].count == 1


def test_old_points_of_a_message_are_counted_while_its_others_are_taken():
    points = [(START - 90_000.0, 1.0), (START + 90.0, 2.0), (START - 91_000.0, 3.0)]
    packed = Sample(service="shop", metric="latency", points=points)
    lane = Lane(model(retention=3_600.0)).run([Sent(sample(0.0), START), Sent(packed, START)])
    assert lane.rejections == []
    assert lane.counts["too_old_points"] == 2
    assert len(windows(lane)) == 1


def test_a_refused_sample_leaves_no_trace_of_its_service():
    lane = Lane(model()).run([Sent(sample(0.0, metric="bad\nname"), START)])
    assert lane.rejections == [(0, "bad_name")]
    assert lane.seen() | {"rejections": []} == Lane(model()).seen()


def test_a_service_has_no_more_series_than_the_cap():
    sent = [Sent(sample(0.0, metric=f"m{index % 4}", labels={"a": "b"}), START) for index in range(8)]
    lane = Lane(model(series_cap=3)).run(sent)
    assert lane.rejections == [(3, "series_cap"), (7, "series_cap")]


def test_labels_in_another_order_are_the_same_series_and_the_first_kind_and_unit_win():
    first = sample(0.0, labels={"a": "1", "b": "2"}, unit="ms")
    second = sample(1.0, labels={"b": "2", "a": "1"}, unit="s", kind="counter")
    lane = Lane(model()).run([Sent(first, START), Sent(second, START), Tick(START + 80)])
    assert windows(lane)[0].count == 2
    series = [row for row in lane.rows.values() if isinstance(row, SeriesSummary)]
    assert [(row.labels, row.kind, row.unit, row.first_seen) for row in series] == [("a=1,b=2", "gauge", "ms", START)]


@pytest.mark.parametrize("size", [1, FOLD - 1, FOLD, FOLD + 1, 777])
def test_windows_of_many_values_are_folded_and_the_same_for_every_split(size):
    sent = [Sent(sample(index / 100, 1 / (index + 1)), START) for index in range(2 * FOLD + 100)]
    split, whole = Lane(model()), Lane(model()).run(sent)
    split.run(sent, cuts=range(0, len(sent), size))
    assert split.dumped() == whole.dumped()
    assert len(whole.dumped()["shop"]) < 9 * (FOLD + 1) + 1_500
    for lane in (split, whole):
        lane.run([Sent(sample(100.0), START)])
        assert windows(lane)[0].sum == fsum(item.event.value for item in sent)
        assert sketch_in(windows(lane)[0].sketch) == Sketch.of([item.event.value for item in sent])
    assert split.seen() == whole.seen()


def test_the_shortcuts_of_the_hot_loop_stay_bounded_when_labels_come_in_ever_other_orders():
    lane = Lane(model(series_cap=2), reload=False)
    for order in permutations("abcde"):
        lane.run([Sent(sample(1.0, labels=dict.fromkeys(order, "x")), START)])
    assert len(lane.states["shop"].names) <= 8
    assert lane.rejections == []
    lane.run([Tick(START + YEAR)])
    assert windows(lane)[0].count == 120
