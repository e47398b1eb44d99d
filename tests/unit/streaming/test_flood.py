"""Floods of invalid events: what stops a lane, and what does not."""

import pytest

from tests.support.fakes.notes import Note, encode
from tests.unit.streaming.computing import RIGHT, Computing, batch, of, record
from vigia.streaming.flood import FloodCounters, FloodLimits

LIMITS = FloodLimits(ratio=0.01, minimum=1_000, run=1_000)
GOOD = Note(service=RIGHT[0])
BAD = record(b"{", None)
NONE = FloodCounters(0, 0, 0)


@pytest.mark.parametrize(
    ("valid", "invalid", "trailing", "stops"),
    [
        (989, 10, 0, False),  # too few to judge by
        (990, 10, 0, False),  # exactly 1 %
        (989, 11, 0, True),
        (0, 999, 999, False),
        (0, 1_000, 1_000, True),
        (1, 999, 0, True),
    ],
)
def test_a_flood_is_more_than_the_share_of_enough_events_or_a_run(valid, invalid, trailing, stops):
    assert bool(NONE.after(valid, invalid, trailing, LIMITS).verdict(LIMITS)) is stops


def test_a_run_goes_on_over_batches_and_ends_with_a_valid_event():
    counters = NONE
    for _ in range(3):
        counters = counters.after(0, 300, 300, FloodLimits(1.0, 10_000, 1_000))
    assert counters.run == 900
    assert counters.after(1, 300, 200, LIMITS).run == 200
    assert counters.after(1, 300, 0, LIMITS).run == 0
    assert counters.after(0, 100, 100, LIMITS).verdict(LIMITS) == "1000 invalid events in a row (limit 1000)"


def test_a_good_past_does_not_hide_a_flood_for_ever():
    counters = NONE
    for _ in range(1_000):
        counters = counters.after(1_000, 0, 0, LIMITS)
    assert counters.seen <= 11_000
    for _ in range(20):
        counters = counters.after(80, 20, 0, LIMITS)
    assert counters.verdict(LIMITS)


def test_the_memory_of_invalid_ones_fades_with_that_of_all():
    counters = FloodCounters(seen=10_000, invalid=90, run=0).after(100, 0, 0, LIMITS)
    assert counters == FloodCounters(seen=5_050, invalid=45, run=0)


def test_a_step_that_makes_it_a_flood_stops_the_lane_and_says_why():
    lane = Computing(FloodLimits(ratio=0.5, minimum=4, run=100))
    assert lane.apply(batch(record(encode(GOOD), GOOD.service), BAD, BAD)).lane.stopped == ""
    assert lane.apply(batch(BAD)).lane.stopped == "3 of the last 4 events are invalid (limit 50.0%)"


def test_a_run_is_counted_from_the_last_valid_event_of_a_batch():
    lane = Computing(FloodLimits(ratio=1.0, minimum=100, run=3))
    lane.apply(batch(BAD, BAD, record(encode(GOOD), GOOD.service), BAD, BAD))
    assert (lane.row.flood_run, lane.row.stopped) == (2, "")


def test_a_repeat_is_a_valid_event_and_ends_a_run():
    lane = Computing(FloodLimits(ratio=1.0, minimum=100, run=3))
    known = Note(service=RIGHT[0], event_id="a")
    lane.apply(of(known))
    lane.apply(batch(BAD, BAD, record(encode(known), known.service), BAD))
    assert (lane.row.flood_run, lane.row.stopped) == (1, "")


def test_a_packed_repeat_weighs_no_more_than_any_other_event():
    lane = Computing(FloodLimits(ratio=0.5, minimum=4, run=100))
    known = Note(service=RIGHT[0], event_id="a", samples=10_000)
    lane.applied(of(known), of(known))
    lane.apply(batch(BAD, BAD, BAD))
    assert (lane.row.flood_seen, lane.row.flood_invalid) == (5, 3)
    assert lane.row.stopped


def test_ticks_and_events_of_other_lanes_are_no_flood():
    lane = Computing(FloodLimits(ratio=0.0, minimum=1, run=1))
    lane.apply(batch(record(b"", None, headers=[("vigia-tick", b"1")]), record(encode(GOOD), None)))
    assert lane.row.stopped == ""
