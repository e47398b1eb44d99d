"""Kafka's time is known from acknowledgements, however wrong a machine's clock is, and a right one stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.streaming.kafka_clock import KafkaClock

NOON = 1_700_000_000.0


class Machine:
    """A machine whose wall clock is `off` seconds ahead of Kafka's."""

    def __init__(self, off: float) -> None:
        self.kafka = NOON
        self.up = 0.0
        self.off = off
        self.clock = KafkaClock(self.wall, lambda: self.up)

    def wall(self) -> float:
        return self.kafka + self.off

    def wait(self, seconds: float) -> None:
        self.kafka += seconds
        self.up += seconds

    def send(self, there: float, back: float) -> None:
        sent = self.wall()
        self.wait(there)
        stamp = int(self.kafka * 1000) / 1000
        self.wait(back)
        self.clock.learn(sent, stamp)

    @property
    def error(self) -> float:
        return self.clock.now() - self.kafka


SECONDS = st.floats(0, 30)
OFF = st.floats(-1e6, 1e6)


@given(OFF, st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=5))
def test_the_error_is_no_more_than_what_an_acknowledgement_has_taken(off, sendings):
    machine = Machine(off)
    for there, back in sendings:
        machine.send(there, back)
        machine.wait(1.0)
    assert abs(machine.error) <= min(there + back for there, back in sendings) + 0.002


@given(st.lists(st.tuples(SECONDS, SECONDS), max_size=5))
def test_a_clock_that_is_right_is_never_corrected(sendings):
    machine = Machine(0.0)
    for there, back in sendings:
        machine.send(there, back)
        assert machine.error == 0.0


@pytest.mark.parametrize("off", [400.0, -400.0])
def test_a_clock_that_is_set_right_is_believed_at_once(off):
    machine = Machine(off)
    machine.send(0.1, 0.1)
    assert abs(machine.error) < 0.5
    machine.off = 0.0
    assert machine.error == 0.0
    machine.send(0.1, 0.1)
    assert machine.error == 0.0


def test_a_clock_that_is_set_wrong_is_noticed_with_the_next_acknowledgement():
    machine = Machine(0.0)
    machine.send(0.1, 0.1)
    machine.off = 3600.0
    assert machine.error == 3600.0
    machine.send(0.1, 0.1)
    assert abs(machine.error) < 0.5


def test_a_clock_that_is_set_back_while_a_record_is_on_its_way_teaches_nothing():
    machine = Machine(400.0)
    sent = machine.wall()
    machine.wait(0.1)
    machine.off = 0.0
    machine.clock.learn(sent, machine.kafka)
    assert machine.error == 0.0


def test_a_difference_is_said_once_and_again_when_it_changes(caplog):
    machine = Machine(400.0)
    for _ in range(3):
        machine.send(0.1, 0.1)
    machine.off = -5.0
    machine.send(0.1, 0.1)
    assert ["399.9 s ahead" in caplog.text, caplog.text.count("behind"), len(caplog.records)] == [True, 1, 2]
