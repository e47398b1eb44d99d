"""Between windows and detectors: what is no number, companions, and what must not open."""

from types import SimpleNamespace

import msgspec
import pytest

from tests.unit.models.detecting import DAY, HOUR, MINUTE, MONDAY, minutes, series, window
from vigia.events.effects import Changes
from vigia.events.problems import Problem
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.disk_space_low import DiskSpaceLow, DiskState
from vigia.models.detectors.finder import Finder, Looked
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.quota import Quota

WATCHED = {
    "high_error_rate": (series("error_rate"), 0.01),
    "database_slow_queries": (series("db_query_p95", "s"), 0.05),
    "disk_space_low": (series("disk_used_ratio"), 0.5),
    "memory_leak": (series("memory_used_ratio"), 0.5),
    "unusual_values": (series("latency", "ms"), 100.0),
}


class Around(SimpleNamespace):
    """A service with nothing but this series."""

    def level_of(self, of, metric):
        return None


def looking(finder, of):
    around = Around(quota=Quota(), mutes={}, forgotten_problems=0)
    looked, changes = Looked(of, finder.watch(of), {}), Changes()

    def look(windows):
        for each in windows:
            finder.look(looked, each, around, float(each.end), changes)
        return msgspec.msgpack.encode(looked.states)

    return look, around, changes


def opened(changes):
    """(detector, when it opened) of each problem."""
    return [
        (each.event.detector, each.event.opened_at)
        for each in changes.outputs
        if isinstance(each.event, Problem) and each.event.version == 1
    ]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", WATCHED)
def test_what_is_no_number_teaches_no_detector_anything(name, bad):
    of, usual = WATCHED[name]
    look, _, changes = looking(Finder(DetectorConfig()), of)
    before = look(minutes([usual] * 300))
    assert name in msgspec.msgpack.decode(before)
    assert look([window(bad, MONDAY + HOUR * 6 + index * MINUTE) for index in range(20)]) == before
    assert opened(changes) == []


def test_a_counter_is_nobodys_rate():
    finder = Finder(DetectorConfig())
    assert finder.watch(series("request_rate")).kept
    assert not finder.watch(series("request_rate", kind="counter")).kept


def filling(at):
    return 0.5 if at < 9 * DAY else min(0.89, 0.5 + (at - 9 * DAY) / HOUR * 0.1)


@pytest.mark.parametrize(
    ("detector", "of", "windows"),
    [
        (HighErrorRate(open_after=1), series("error_rate"), minutes([0.0] * 5 + [0.2] * 90)),
        (
            DiskSpaceLow(open_after=1),
            series("disk_used_ratio"),
            minutes((filling(at) for at in range(0, 9 * DAY + 3 * HOUR, 5 * MINUTE)), every=5 * MINUTE),
        ),
    ],
    ids=["errors", "disk"],
)
def test_what_the_limit_holds_back_opens_with_the_next_hour(detector, of, windows):
    config = DetectorConfig(problems_per_hour=1, **{detector.name: detector})
    free, _, changes = looking(Finder(config), of)
    free(windows)
    ((_, first),) = opened(changes)
    look, around, changes = looking(Finder(config), of)
    before = [each for each in windows if each.end < first]
    look(before)
    around.quota.opened = 1
    look(windows[len(before) :])
    next_hour = (first // HOUR + 1) * HOUR
    (name, at) = opened(changes)[-1]
    assert opened(changes)[0][0] == "problem_limit"
    assert name == detector.name
    assert next_hour <= at <= next_hour + 5 * MINUTE


def test_what_is_held_back_is_no_problem_and_what_was_learned_stays():
    disk = DiskSpaceLow(open_after=1)
    look, around, changes = looking(
        Finder(DetectorConfig(problems_per_hour=1, disk_space_low=disk)), series("disk_used_ratio")
    )
    states = b""
    for each in minutes((filling(at) for at in range(0, 9 * DAY + 3 * HOUR, 5 * MINUTE)), every=5 * MINUTE):
        around.quota.opened = 1
        states = look([each])
        if opened(changes):
            break
    held = msgspec.msgpack.decode(states, type=dict[str, DiskState])[disk.name]
    assert (held.status, held.opened, held.run) == ("none", 0, 0)
    assert held.soon is not None
