"""Weeks of windows with the state stored and loaded now and then: findings and bytes are those of one long life.

The laws of models play minutes to an hour, in which trends and unusual values can never open anything.
"""

from math import pi, sin
from random import Random

import msgspec
import pytest

from tests.unit.models.detecting import DAY, HOUR, MINUTE, minutes, series, window_of
from vigia.models.detectors.database_slow_queries import DatabaseSlowQueries
from vigia.models.detectors.disk_space_low import DiskSpaceLow
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.memory_leak import MemoryLeak
from vigia.models.detectors.states import DetectorState
from vigia.models.detectors.unusual_values import UnusualValues

EVERY = 7
"""Windows after which the state is stored and loaded."""


def level(at):
    grown = max(0.0, at - 8 * DAY) / DAY * 0.08 + (0.3 * (at - 7 * DAY) / DAY if 7 * DAY < at < 7.5 * DAY else 0.0)
    return min(1.0, 0.5 + 0.1 * sin(2 * pi * at / DAY) + grown + Random(at).gauss(0, 0.005))


def latency(at):
    wild = 2.0**64 if at % (2 * DAY) == 6 * HOUR else 1.0
    broken = 8.0 if 5 * DAY <= at < 5 * DAY + HOUR else 1.0
    return (100 + 30 * sin(2 * pi * at / DAY)) * Random(at).lognormvariate(0, 0.1) * broken * wild


def errors(at):
    return abs(Random(at).gauss(0.001, 0.0003)) * (20 if at % DAY < HOUR else 1)


def levels():
    return minutes((level(at) for at in range(0, 14 * DAY, 5 * MINUTE)), every=5 * MINUTE)


def queries():
    random = Random(5)
    return [
        window_of([random.lognormvariate(3, 0.8) * (40 if minute % 500 < 20 else 1) for _ in range(25)], 60 * minute)
        for minute in range(1_500)
    ]


CASES = [
    (DiskSpaceLow(), series("disk_used_ratio"), levels),
    (MemoryLeak(), series("memory_used_ratio"), levels),
    (UnusualValues(), series("latency", "ms"), lambda: minutes(latency(at) for at in range(0, 6 * DAY, MINUTE))),
    (HighErrorRate(), series("error_rate"), lambda: minutes(errors(at) for at in range(0, 3 * DAY, MINUTE))),
    (DatabaseSlowQueries(), series("db_query_duration", "ms"), queries),
]


@pytest.mark.parametrize(("detector", "of", "windows"), CASES, ids=[case[1].metric for case in CASES])
def test_a_state_that_is_stored_and_loaded_goes_on_to_the_last_bit(detector, of, windows):
    kept = reloaded = detector.anew(0)
    opened = 0
    for number, each in enumerate(windows()):
        kept, found = detector.judge(kept, each, of, {"request_rate": 50.0}.get)
        reloaded, again = detector.judge(reloaded, each, of, {"request_rate": 50.0}.get)
        assert found == again
        opened += found is not None and found.begins
        if number % EVERY == 0:
            body = msgspec.msgpack.encode(reloaded)
            assert body == msgspec.msgpack.encode(kept)
            reloaded = msgspec.msgpack.decode(body, type=DetectorState)
    assert opened
