"""Counters: resets are seen, samples out of order are not taken for them, and hours have what windows have."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.samples import Sample
from vigia.events.summaries import DaySummary, HourSummary, WindowSummary
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.models.windows.climb import Climb, chained, climb_of, merged, step
from vigia.models.windows.totals import climb_in, counter_totals, sketch_in
from vigia.models.windows.totals import merged as merged_totals

HOUR, DAY = 3_600, 86_400
MIDNIGHT = 1_699_920_000
END = Tick(START + 100 * DAY), Tick(START + 200 * DAY)


def increases(pairs):
    """What Prometheus counts: from each sample to the next one by time, all of it after a reset."""
    ordered = sorted(pairs)
    return sum(step(before, after) for (_, before), (_, after) in pairwise(ordered))


def counted(*pairs, reload=True, cuts=()):
    samples = [Sample(service="shop", metric="requests", kind="counter", ts=at, value=value) for at, value in pairs]
    script = [Sent(each, START) for each in samples]
    return Lane(MetricsModel(MetricsConfig(retention=30.0 * DAY)), reload).run(script, cuts)


def climbs(lane, kind):
    rows = (row for row in lane.rows.values() if type(row) is kind)
    return {row.start - MIDNIGHT: climb_in(row.sketch) for row in rows}


grown = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40)


@given(grown, st.randoms())
def test_without_resets_it_is_the_difference_whatever_the_order_of_arrival(steps, chance):
    total, pairs = 0.0, []
    for second, by in enumerate(steps):
        total += by
        pairs.append((float(second), total))
    chance.shuffle(pairs)
    climb = climb_of(*zip(*pairs, strict=True))
    assert climb.increase == pytest.approx(increases(pairs))
    assert (climb.first_at, climb.last_at) == (0.0, len(steps) - 1.0)


@given(grown, grown, st.randoms())
def test_one_reset_is_counted_as_prometheus_does_unless_it_climbed_above_where_it_was(before, after, chance):
    values = [10.0 + sum(before[: place + 1]) for place in range(len(before))]
    values += [sum(after[: place + 1]) for place in range(len(after))]
    pairs = list(enumerate(values))
    exact = increases(pairs)
    chance.shuffle(pairs)
    found = climb_of(*zip(*pairs, strict=True)).increase
    if values[len(before) - 1] >= values[-1]:
        assert found == pytest.approx(exact)
    else:
        assert found <= exact or found == pytest.approx(exact)


samples = st.lists(st.tuples(st.integers(0, 59).map(float), st.integers(0, 50).map(float)), min_size=1, max_size=12)


@given(samples, samples, samples)
def test_merging_the_parts_of_a_window_is_the_whole_in_any_order(one, two, three):
    def totals(pairs):
        return counter_totals([value for _, value in pairs], [at for at, _ in pairs])

    whole = totals(one + two + three)
    assert merged_totals(merged_totals(totals(one), totals(two)), totals(three)) == whole
    assert merged_totals(totals(three), merged_totals(totals(two), totals(one))) == whole


def test_what_lies_between_windows_is_in_their_hour():
    windows = [([1.0, 2.0], [10.0, 15.0]), ([61.0], [18.0]), ([121.0, 125.0], [2.0, 4.0])]
    climb = chained(climb_of(*each) for each in windows)
    assert climb == Climb(1.0, 10.0, 125.0, 4.0, 5.0 + 3.0 + 2.0 + 2.0)


def test_a_climb_is_never_negative_and_the_same_at_one_moment_in_any_order():
    assert climb_of([1.0, 2.0], [-3.0, -5.0]).increase == 0.0
    assert climb_of([1.0, 1.0], [2.0, 5.0]) == climb_of([1.0, 1.0], [5.0, 2.0]) == Climb(1.0, 2.0, 1.0, 5.0, 3.0)
    left, right = climb_of([5.0], [7.0]), climb_of([5.0], [9.0])
    assert merged(left, right, 7.0, 9.0) == merged(right, left, 7.0, 9.0)


def late(at, value):
    return Sent(Sample(service="shop", metric="requests", kind="counter", ts=MIDNIGHT + at, value=value), START + 400)


def test_a_sample_out_of_order_is_no_reset_and_a_late_one_corrects_window_and_hour():
    lane = counted(
        *[(MIDNIGHT + 60.0 * minute + 30.0, 10.0 * minute) for minute in range(60)], (MIDNIGHT + 3_700.0, 600.0)
    )
    lane.run([Tick(START + 400)])
    assert climbs(lane, HourSummary)[0].increase == 590.0
    # between its neighbours: nothing climbs differently
    lane.run([late(620.0, 98.0), late(605.0, 96.0), *END])
    assert climbs(lane, WindowSummary)[600] == Climb(MIDNIGHT + 605.0, 96.0, MIDNIGHT + 630.0, 100.0, 4.0)
    assert climbs(lane, HourSummary)[0].increase == 590.0
    # after the last of its hour
    lane.run([late(3_599.0, 597.0), Tick(START + 400 * DAY)])
    assert climbs(lane, HourSummary)[0].increase == 597.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.0, 2.0 * DAY, exclude_max=True), st.integers(0, 1_000).map(float)),
        min_size=1,
        max_size=30,
        unique_by=lambda pair: pair[0],
    ),
    st.sets(st.integers(0, 30), max_size=4),
    st.booleans(),
)
def test_hours_and_days_chain_their_windows_for_any_order_and_batches(pairs, cuts, reload):
    placed = [(MIDNIGHT + at, value) for at, value in pairs]
    lane = counted(*placed, reload=reload, cuts=cuts).run(END)
    assert lane.rejections == []
    for kind, length in ((HourSummary, HOUR), (DaySummary, DAY)):
        expected = {}
        for start in sorted({at // length * length for at, _ in placed}):
            windows: dict[float, list[tuple[float, float]]] = {}
            for at, value in sorted(placed):
                if at // length * length == start:
                    windows.setdefault(at // 60, []).append((at, value))
            expected[start - MIDNIGHT] = chained(climb_of(*zip(*each, strict=True)) for each in windows.values())
        found = climbs(lane, kind)
        assert found.keys() == expected.keys()
        for start, climb in found.items():
            assert climb[:4] == expected[start][:4]
            assert climb.increase == pytest.approx(expected[start].increase, rel=1e-12)


def test_thousands_of_samples_in_one_window_are_folded_with_their_times():
    lane = counted(*[(MIDNIGHT + index / 50, float(index)) for index in range(2_900)]).run(END)
    assert climbs(lane, WindowSummary)[0].increase == 2_899.0


def test_a_series_that_comes_anew_as_a_gauge_keeps_its_sketches():
    lane = Lane(MetricsModel(MetricsConfig(series_forget=60.0)))
    lane.run([Sent(Sample(service="shop", metric="m", kind="counter", ts=MIDNIGHT + 10.0, value=5.0), START)])
    lane.run([Sent(Sample(service="shop", metric="other", ts=MIDNIGHT + 5_000.0, value=5.0), START)])
    lane.run([Sent(Sample(service="shop", metric="m", kind="gauge", ts=MIDNIGHT + 20.0, value=6.0), START)])
    lane.run(END)
    hours = [row for row in lane.rows.values() if isinstance(row, HourSummary) and row.start == MIDNIGHT]
    assert [(row.count, row.sum, row.late, sketch_in(row.sketch).count) for row in hours] == [(2, 11.0, 1, 1)]
