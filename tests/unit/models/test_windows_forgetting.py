"""A series that fell silent long ago is forgotten: it no longer counts, and may come anew without losing anything."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.invalid import Reason
from vigia.events.problems import Problem
from vigia.events.samples import Sample
from vigia.events.summaries import ProblemSummary, SeriesSummary, WindowSummary
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.metrics import MetricsConfig, MetricsModel

DAY, YEAR = 86_400.0, 365 * 86_400.0
SOON = DetectorConfig(high_error_rate=HighErrorRate(min_samples=1, open_after=1, close_after=1))


def lane_of(reload=True, **settings):
    return Lane(MetricsModel(MetricsConfig(detectors=SOON, **settings)), reload)


def sent(metric, *offsets, value=0.0):
    points = [(START + offset, value) for offset in offsets]
    return Sent(Sample(service="shop", metric=metric, points=points), START + max(offsets))


def series_in(lane):
    return {spot.held.series.metric for spot in lane.states["shop"].series}


def rows(lane):
    """(metric, offset of the start) -> (count, late) of every window's row."""
    metrics = {row.series_id: row.metric for row in lane.rows.values() if isinstance(row, SeriesSummary)}
    return {
        (metrics[row.series_id], row.start - START): (row.count, row.late)
        for row in lane.rows.values()
        if isinstance(row, WindowSummary)
    }


def first_seen(lane, metric):
    (row,) = (row for row in lane.rows.values() if isinstance(row, SeriesSummary) and row.metric == metric)
    return row.first_seen - START


def problems(lane):
    return [output.event for output in lane.outputs if isinstance(output.event, Problem)]


@pytest.mark.parametrize("reload", [True, False])
def test_pods_that_are_gone_make_room_for_new_ones(reload):
    lane = lane_of(reload, series_cap=3)
    for day in range(10):
        lane.run([sent("steady", day * DAY + hour * 3_600.0) for hour in range(24)])
        lane.run([sent(f"pod-{day}", day * DAY + 23 * 3_600.0 + 1)])
    assert lane.rejections == []
    assert series_in(lane) == {"steady", "pod-8", "pod-9"}


def test_a_service_all_of_whose_series_were_replaced_at_once_takes_the_new_ones():
    lane = lane_of(series_cap=2).run([sent("a", 0.0), sent("b", 1.0), Tick(START + DAY)])
    lane.run([sent("early", DAY)])
    assert [reason for _, reason in lane.rejections] == [Reason.SERIES_CAP]
    lane.run([sent("c", 2 * DAY), sent("d", 2 * DAY)])
    assert len(lane.rejections) == 1
    assert series_in(lane) == {"c", "d"}


def test_a_series_that_comes_again_keeps_when_it_was_seen_first_and_its_old_windows():
    lane = lane_of().run([sent("a", 0.0, 10.0), Tick(START + DAY), sent("b", 2 * DAY)])
    assert series_in(lane) == {"b"}
    lane.run([sent("a", 20.0), sent("a", 2 * DAY), Tick(START + YEAR)])
    assert first_seen(lane, "a") == 0.0
    assert first_seen(lane, "b") == 2 * DAY
    assert rows(lane) == {("a", 0.0): (3, 1), ("a", 2 * DAY): (1, 0), ("b", 2 * DAY): (1, 0)}


def test_a_series_that_only_comes_late_is_not_forgotten_at_every_sample():
    lane = lane_of().run([sent("a", 0.0), Tick(START + DAY), sent("b", 2 * DAY), sent("a", 20.0)])
    lane.run([sent("b", 2 * DAY + 600.0)])
    assert series_in(lane) == {"a", "b"}
    lane.run([sent("b", 3 * DAY + 600.0)])
    assert series_in(lane) == {"b"}


def broken(name, at):
    """A minute of a pod's errors that nothing follows."""
    labels = {"pod": name}
    return Sent(Sample(service="shop", metric="error_rate", ts=START + at, value=0.9, labels=labels), START + at)


GOES_BY = 60.0 + 3 * DAY
"""From the end of a series' last window to the end of its problem."""


def test_a_series_with_an_open_problem_stays_until_nothing_has_come_for_three_days():
    lane = lane_of().run([sent("error_rate", 0.0, value=0.9), sent("b", 800.0)])
    assert [each.status for each in problems(lane)] == ["open"]
    lane.run([sent("b", GOES_BY + 59.0)])
    assert series_in(lane) == {"error_rate", "b"}
    lane.run([sent("b", GOES_BY + 60.0)])
    assert series_in(lane) == {"b"}
    opened, ended = problems(lane)
    assert (ended.problem_id, ended.version, ended.severity) == (opened.problem_id, 2, opened.severity)
    assert (ended.status, ended.opened_at, ended.at - START) == ("stale", opened.opened_at, GOES_BY + 60.0)
    assert ended.why == (
        "error_rate of shop has sent nothing for 3 days, since 2023-11-14 22:15 UTC; whether the problem is over is "
        "not known."
    )
    assert (lane.counts["problems_resolved"], lane.counts["problems_stale"]) == (0, 1)
    (row,) = (row for row in lane.rows.values() if isinstance(row, ProblemSummary))
    assert (row.status, row.version, row.why) == ("stale", 2, ended.why)


def test_broken_pods_that_are_gone_hold_no_place_for_good():
    lane = lane_of(series_cap=3)
    for day in range(12):
        lane.run([sent("steady", day * DAY + hour * 3_600.0) for hour in range(24)])
        if day % 4 == 0:
            at = day * DAY + 23 * 3_600.0
            lane.run([*(broken(f"pod-{day}-{number}", at) for number in range(2)), Tick(START + at + 200.0)])
    assert lane.rejections == []
    assert [each.status for each in problems(lane)] == ["open", "open", "stale", "stale"] * 2 + ["open", "open"]


def test_a_series_that_comes_back_is_a_new_one_with_a_problem_of_its_own():
    lane = lane_of().run([broken("a", 0.0), sent("b", 800.0), sent("b", 4 * DAY)])
    lane.run([broken("a", 4 * DAY + 60.0), sent("b", 4 * DAY + 900.0)])
    first, _, second = problems(lane)
    assert [each.status for each in problems(lane)] == ["open", "stale", "open"]
    assert second.problem_id != first.problem_id
    assert second.version == 1


@pytest.mark.parametrize("ahead", [0.0, 700.0])
def test_the_problems_of_a_service_that_is_silent_itself_end_by_the_clock(ahead):
    lane = lane_of()
    lane.run([Sent(broken("a", at).event, START + at + ahead) for at in (0.0, 30.0)])
    lane.run([Tick(START + ahead + 200.0), *(Tick(START + ahead + hour * 3_600.0) for hour in range(1, 73))])
    assert [each.status for each in problems(lane)] == ["open"]
    lane.run([Tick(START + ahead + 73 * 3_600.0)])
    assert [(each.status, each.at - START) for each in problems(lane)] == [("open", 60.0), ("stale", GOES_BY + 60.0)]
    assert (series_in(lane), lane.timers.keys() & {("gone", "shop")}) == (set(), set())


def test_while_others_of_a_service_go_on_its_event_time_counts_and_not_the_clock():
    lane = lane_of().run([broken("a", 0.0), sent("b", 30.0), Tick(START + 300.0)])
    # four days of the clock, in which the service comes but an hour further
    for hour in range(96):
        at = START + 60.0 * hour
        late = Sent(Sample(service="shop", metric="b", ts=at, value=0.0), START + 3_600.0 * hour + 400.0)
        lane.run([late, Tick(late.time + 1_800.0)])
    assert [each.status for each in problems(lane)] == ["open"]


def test_a_problem_that_is_resolved_in_time_is_no_matter_of_silence():
    lane = lane_of().run([broken("a", 0.0)])
    good = Sample(service="shop", metric="error_rate", ts=START + 60.0, value=0.0, labels={"pod": "a"})
    lane.run([Sent(good, START + 60.0), Tick(START + 200.0), Tick(START + 10 * DAY)])
    assert [each.status for each in problems(lane)] == ["open", "resolved"]


def test_problems_before_and_after_a_series_was_forgotten_have_ids_of_their_own():
    lane = lane_of()
    for start in (0.0, 3 * DAY):
        lane.run([sent("error_rate", start, value=0.9), sent("error_rate", start + 60.0), sent("b", start + 800.0)])
        assert problems(lane)[-1].status == "resolved"
        lane.run([sent("b", start + 2 * DAY)])
        assert series_in(lane) == {"b"}
    assert [each.status for each in problems(lane)] == ["open", "resolved"] * 2
    assert len({each.problem_id for each in problems(lane)}) == 2


offsets = st.integers(-20, 60).map(lambda minute: 60.0 * minute) | st.floats(-1_200.0, 4_000.0)
messages = st.tuples(st.sampled_from(["latency", "error_rate", "load"]), st.lists(offsets, min_size=1, max_size=4)).map(
    lambda drawn: sent(drawn[0], *drawn[1])
)


@given(
    script=st.lists(messages | st.floats(0.0, 4_000.0).map(lambda after: Tick(START + after)), max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    forget=st.sampled_from([0.0, 60.0, 600.0]),
    problem_forget=st.sampled_from([0.0, 300.0, 3 * DAY]),
    idle=st.sampled_from([0.0, 300.0]),
    reload=st.booleans(),
)
def test_no_sample_is_lost_however_often_series_are_forgotten(script, cuts, forget, problem_forget, idle, reload):
    settings = {"series_forget": forget, "problem_forget": problem_forget, "series_idle": idle}
    lane = lane_of(reload, **settings).run([*script, Tick(START + YEAR)], cuts)
    expected: Counter[tuple[str, float]] = Counter()
    for item in script:
        if isinstance(item, Sent):
            expected.update((item.event.metric, ts // 60 * 60 - START) for ts, _ in item.event.points)
    assert {key: count for key, (count, _) in rows(lane).items()} == expected
    assert lane.counts["late_samples"] == sum(late for _, late in rows(lane).values())
    whole = lane_of(not reload, **settings).run([*script, Tick(START + YEAR)])
    assert whole.seen() == lane.seen()
