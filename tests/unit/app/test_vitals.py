"""What a worker tells of its lanes: lag that is true, and how long the oldest record waits."""

import msgspec

from tests.support.glances import LANE, NOON, ROW, glance
from vigia.app.vitals import Unread, Vitals
from vigia.stores.errors import Transient


class Lanes:
    """A lane, a broker and a clock."""

    def __init__(self, *, ends=100, position=100, **changes):
        self.now = NOON
        self.ends: dict[tuple[str, int], int] | None = {("metrics", 1): ends}
        self.positions = {("metrics", 1): position}
        self.glance = glance(**changes)
        self.vitals = Vitals(lambda: [self.glance], self.read_ends, lambda: self.positions, self.clock, self.clock)

    def clock(self):
        return self.now

    def read_ends(self, partitions):
        if self.ends is None:
            raise Transient("away")
        return {place: self.ends[place] for place in partitions}

    def take(self):
        (beat,) = self.vitals.take()
        return beat


def test_a_lane_that_has_applied_all_is_idle_without_lag():
    beat = Lanes().take()
    assert (beat.state, beat.lag, beat.oldest_at) == ("idle", {"metrics": 0}, None)


def test_lag_is_what_is_written_and_not_applied_and_its_age_that_of_the_first_record_in_hand():
    beat = Lanes(ends=150, position=120, holds=True, oldest_at=NOON - 9).take()
    assert (beat.state, beat.lag, beat.oldest_at) == ("working", {"metrics": 50}, NOON - 9)


def test_marks_of_transactions_behind_the_last_record_are_no_lag():
    beat = Lanes(ends=101, position=101).take()
    assert (beat.state, beat.lag) == ("idle", {"metrics": 0})


def test_records_that_nobody_has_fetched_are_as_old_as_they_are_known():
    lanes = Lanes(ends=110, position=100)
    lanes.take()
    assert lanes.vitals.unread == Unread(NOON, frozenset([LANE]))
    lanes.now += 30
    assert lanes.take().oldest_at == NOON
    lanes.positions["metrics", 1] = 110
    assert lanes.take().oldest_at is None
    assert lanes.vitals.unread == Unread(NOON + 30, frozenset())


def test_while_the_broker_is_away_lag_is_unknown_and_nothing_counts_as_unread():
    lanes = Lanes(ends=110)
    lanes.ends = None
    beat = lanes.take()
    assert (beat.lag, lanes.vitals.unread.lanes) == ({}, frozenset())


def test_when_a_lane_last_stepped_is_when_its_step_was_seen_to_rise():
    lanes = Lanes()
    assert lanes.take().stepped_at is None
    lanes.now += 5
    lanes.glance = glance(row=msgspec.structs.replace(ROW, step=6))
    assert lanes.take().stepped_at == NOON + 5
    lanes.now += 5
    assert lanes.take().stepped_at == NOON + 5


def test_a_stopped_lane_says_why_and_a_lost_one_that_it_is_lost():
    stopped = Lanes(row=msgspec.structs.replace(ROW, stopped="a flood")).take()
    assert (stopped.state, stopped.stopped) == ("stopped", "a flood")
    assert Lanes(lost=True).take().state == "lost"
