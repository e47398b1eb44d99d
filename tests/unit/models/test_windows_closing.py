"""When the windows of a series close, one rule at a time, and its cost; `test_windows_series` has the properties."""

import pytest

from tests.unit.models.laws import START, Lane, Tick
from tests.unit.models.test_windows_series import (
    IDLE,
    LATENESS,
    Watcher,
    model,
    offsets_of,
    sent,
    watched_by,
    windows,
)
from vigia.events.summaries import ProblemSummary
from vigia.models.windows.closing import Closer
from vigia.models.windows.intake import Intake
from vigia.models.windows.state import FOLD


def test_a_pack_of_one_series_does_not_close_the_windows_of_another():
    minutes = [float(second) for second in range(0, 240, 10)]
    lane = Lane(model()).run([sent("latency", *minutes), sent("error_rate", *minutes)])
    assert {key: late for key, (_, late) in windows(lane).items()} == {
        (metric, start): 0 for metric in ("latency", "error_rate") for start in (0, 60, 120)
    }


def test_the_series_of_a_service_have_their_own_pace():
    often = [sent("often", float(second)) for second in range(600)]
    rarely = [sent("rarely", 60.0 * minute + 30.0) for minute in range(10)]
    script = sorted([*often, *rarely], key=lambda message: message.event.ts)
    lane = Lane(model()).run(script)
    assert lane.counts["late_samples"] == 0
    # each closes by its own next samples
    assert max(start for metric, start in windows(lane) if metric == "often") == 480
    assert max(start for metric, start in windows(lane) if metric == "rarely") == 480


@pytest.mark.parametrize("reload", [False, True])
@pytest.mark.parametrize("idle", [300.0, 310.0])
def test_a_series_that_fell_silent_closes_when_its_service_is_past_it_by_the_idle_time(reload, idle):
    lane = Lane(model(series_idle=idle), reload).run([sent("silent", 10.0), sent("other", 11.0)])
    for second in range(20, int(60 + LATENESS + idle)):
        lane.run([sent("other", float(second))])
    lane.run([sent("other", 60 + LATENESS + idle - 0.1)])
    assert ("silent", 0) not in windows(lane)
    lane.run([sent("other", 60 + LATENESS + idle)])
    assert windows(lane)["silent", 0] == (1, 0)
    # what has begun later is another matter
    assert {start for metric, start in windows(lane) if metric == "other"} == {0, 60, 120, 180, 240, 300}


def test_a_silent_series_that_comes_back_is_late_only_for_what_has_closed():
    lane = Lane(model()).run([sent("silent", 10.0), sent("other", 400.0), sent("silent", 59.0), sent("silent", 61.0)])
    lane.run([sent("silent", 130.0)])
    assert windows(lane) == {("silent", 0): (2, 1), ("silent", 60): (1, 0)}


def test_the_windows_of_a_silent_series_open_its_problem_and_are_stale_by_the_clock_that_closed_them():
    for lag, status in ((890.0, "open"), (910.0, "stale")):
        script = [sent("error_rate", *(float(second) for second in range(4))), sent("other", 365.0, kafka=60 + lag)]
        lane = Lane(model()).run(script)
        assert [row.status for row in lane.rows.values() if isinstance(row, ProblemSummary)] == [status]


def test_silent_series_are_closed_in_order_of_time_then_of_appearance():
    watcher = Watcher()
    Lane(watched_by(watcher), reload=False).run([sent("c", 70.0), sent("b", 10.0), sent("a", 10.0), sent("d", 1_000.0)])
    assert watcher.seen == [("b", 0, 1), ("a", 0, 1), ("c", 60, 1)]


def test_a_window_that_began_after_a_later_one_closes_before_it():
    watcher = Watcher()
    Lane(watched_by(watcher)).run([sent("m", 61.0), sent("m", 59.0), sent("m", 200.0)])
    assert watcher.seen == [("m", 0, 1), ("m", 60, 1)]


def test_a_series_that_is_always_far_behind_its_service_is_complete():
    behind, script = 3_600.0, []
    for second in range(0, 1_200, 10):
        script += [sent("live", float(second)), sent("delayed", second - behind)]
    lane = Lane(model()).run(script)
    assert lane.counts["late_samples"] == 0
    # closed by its own samples, not by the service
    assert windows(lane)["delayed", -3_600] == (6, 0)
    assert len([start for metric, start in windows(lane) if metric == "delayed"]) == 19
    # and when it falls silent, its last window does not stay open
    last = 1_190.0
    lane.run([sent("live", last - last % 60 + 60 + LATENESS + IDLE - 0.1)])
    assert len([start for metric, start in windows(lane) if metric == "delayed"]) == 19
    lane.run([sent("live", last - last % 60 + 60 + LATENESS + IDLE)])
    assert windows(lane)["delayed", 1_140 - 3_600] == (6, 0)


def test_a_new_series_is_in_time_however_old_its_samples_are():
    lane = Lane(model()).run([sent("first", 86_400.0), *(sent("new", 30.0 * part) for part in range(6))])
    assert windows(lane) == {("new", 0): (2, 0), ("new", 60): (2, 0)}
    assert lane.counts["late_samples"] == 0
    lane.run([sent("new", -60.0), sent("first", -60.0)])
    assert lane.counts["late_samples"] == 2


def test_the_retention_is_measured_from_the_latest_of_the_service():
    lane = Lane(model(retention=3_600.0)).run([sent("first", 7_200.0), sent("new", 0.0), sent("new", 3_601.0)])
    assert lane.rejections == [(1, "too_old")]


def test_an_idle_service_closes_the_windows_of_all_its_series():
    lane = Lane(model(), reload=False).run([sent("one", 10.0), sent("two", 70.0, 140.0), Tick(START + 205)])
    assert windows(lane) == {("one", 0): (1, 0), ("two", 60): (1, 0), ("two", 120): (1, 0)}
    assert lane.states["shop"].open == {}
    assert [spot.values for spot in lane.states["shop"].series] == [[], []]
    # each series goes on from the end of its own last window
    lane.run([sent("one", 61.0), sent("two", 61.0)])
    assert lane.counts["late_samples"] == 1


def test_the_clock_leaves_the_windows_of_a_series_whose_lateness_is_not_over():
    lane = Lane(model()).run([sent("one", 10.0), sent("two", 10.0, 61.0), Tick(START + 70)])
    assert windows(lane) == {("one", 0): (1, 0), ("two", 0): (1, 0)}
    assert lane.timers["idle", "shop"] == START + 125
    lane.run([sent("two", 62.0), Tick(START + 125)])
    assert windows(lane)["two", 60] == (2, 0)


def test_the_idle_timer_waits_for_the_series_that_closes_first():
    lane = Lane(model()).run([sent("one", 10.0), sent("two", 250.0), Tick(START + 65)])
    assert windows(lane) == {("one", 0): (1, 0)}
    assert lane.timers["idle", "shop"] == START + 305


def test_the_hot_loop_takes_nearly_everything(monkeypatch):
    taken = []
    take = Intake.take

    def counted(self, index, event, *rest):
        taken.append(event.ts - START)
        take(self, index, event, *rest)

    monkeypatch.setattr(Intake, "take", counted)
    lane = Lane(model()).run([sent("m", float(second)) for second in range(130)])
    # where a window begins, and where the one before it closes
    assert taken == [0, 5, 60, 65, 120, 125]
    # and where a state has just been loaded
    lane.run([sent("m", float(second)) for second in range(130, 140)])
    assert taken[6:] == [130]


def test_a_closed_window_at_the_beginning_of_time_is_closed_for_the_hot_loop_too():
    lane = Lane(model(), reload=False).run([sent("m", 10.0 - START), Tick(START + 60), sent("m", 20.0 - START)])
    assert windows(lane) == {("m", -int(START)): (2, 1)}


def test_looking_for_silent_series_is_rare(monkeypatch):
    looks = []
    close_silent = Closer.close_silent

    def look(self, state, clock):
        looks.append(state.latest)
        close_silent(self, state, clock)

    monkeypatch.setattr(Closer, "close_silent", look)
    lane = Lane(model(), reload=False)
    steady = [sent(f"m{index}", second + index / 20) for second in range(0, 7_200, 10) for index in range(20)]
    # each of these comes once and falls silent, at another second
    once = [sent(f"once{index}", 7.3 * index) for index in range(900)]
    lane.run(sorted([*steady, *once], key=offsets_of))
    assert 7_200 / 365 <= len(looks) <= 7_200 / 60 + 1
    assert len([key for key in windows(lane) if key[0].startswith("once")]) >= 800


def test_a_window_that_is_not_the_newest_any_more_is_folded_too():
    script = [sent("m", 59.0 + index / 1_000) for index in range(2 * FOLD + 10)]
    lane = Lane(model(), reload=False).run([*script, sent("m", 60.0)])
    old = lane.states["shop"].series[0].held.windows[int(START)]
    assert (len(old.values), old.folded.count) == (10, 2 * FOLD)
    lane.run([sent("m", *[59.5] * FOLD)])
    assert (len(old.values), old.folded.count) == (10, 3 * FOLD)
