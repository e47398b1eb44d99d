"""What keeps problems from opening: mutes, and the limit on problems an hour."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.problems import Problem
from vigia.events.samples import Sample
from vigia.events.summaries import ProblemSummary
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.mutes import Mute
from vigia.models.metrics import MetricsConfig, MetricsModel

ERRORS = HighErrorRate(open_after=2, close_after=2, flap_within=0.0, min_samples=1)
HOUR = 60
FULL_HOUR = START - START % 3_600 + 3_600
"""Event time at which minutes are counted from."""


def lane(**detectors):
    return Lane(MetricsModel(MetricsConfig(detectors=DetectorConfig(high_error_rate=ERRORS, **detectors))))


def sent(minute, value, series="a"):
    at = FULL_HOUR + 60.0 * minute
    return Sent(Sample(service="shop", metric="error_rate", ts=at, value=value, labels={"series": series}), at)


def muted(first, last, **fields):
    since, until = (datetime.fromtimestamp(FULL_HOUR + 60 * minute, UTC) for minute in (first, last))
    return Mute(since=since, until=until, author="maria", reason="the database is moved", **fields)


def problems(of):
    return [output.event for output in of.outputs if isinstance(output.event, Problem)]


def opened(of):
    """(minute in which it opened, detector) of each problem."""
    return [
        ((problem.opened_at - FULL_HOUR) / 60, problem.detector) for problem in problems(of) if problem.version == 1
    ]


def test_in_a_mute_nothing_opens_and_what_is_still_wrong_opens_after_it():
    told = lane(mute=(muted(3, 10),)).run([sent(minute, 0.4) for minute in range(15)])
    # windows end a minute after they start; the first two that count end at 10 and 11
    assert opened(told) == [(2.0, "high_error_rate")]
    told = lane(mute=(muted(0, 10),)).run([sent(minute, 0.4) for minute in range(15)])
    assert opened(told) == [(11.0, "high_error_rate")]


def test_what_is_over_before_the_mute_ends_opens_never():
    told = lane(mute=(muted(0, 10),)).run([sent(minute, 0.4 if minute < 8 else 0.0) for minute in range(15)])
    assert problems(told) == []


def test_an_open_problem_may_be_resolved_in_a_mute_but_becomes_no_worse():
    values = [0.06, 0.06, 0.06, *[0.4] * 4, *[0.0] * 4]
    told = lane(mute=(muted(3, 20),)).run([sent(minute, value) for minute, value in enumerate(values)])
    assert [(problem.status, problem.severity) for problem in problems(told)] == [("open", "P3"), ("resolved", "P3")]


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ({"service": "sh*"}, True),
        ({"service": "mail"}, False),
        ({"labels": {"series": "a"}}, True),
        ({"labels": {"zone": "a"}}, False),
        ({"detectors": ("memory_leak",)}, False),
        ({"detectors": ("memory_leak", "high_error_rate")}, True),
        ({"environment": "staging"}, False),
    ],
)
def test_a_mute_is_about_what_it_names(fields, holds):
    told = lane(mute=(muted(0, 10, **fields),)).run([sent(minute, 0.4) for minute in range(8)])
    assert (problems(told) == []) == holds


def said(first: int, last: int, **fields: Any) -> Sent:
    """The same mute as an event."""
    at: dict[str, Any] = {
        "mute_id": "m",
        "service": "shop",
        "at": FULL_HOUR,
        "by": "maria",
        "reason": "the database is moved",
    }
    since, until = FULL_HOUR + 60 * first, FULL_HOUR + 60 * last
    return Sent(Muted(since=since, until=until, **at, **fields), FULL_HOUR + 60 * first)


@given(
    values=st.lists(st.sampled_from([0.0, 0.06, 0.4]), min_size=8, max_size=25),
    first=st.integers(0, 10),
    length=st.integers(1, 15),
    fields=st.sampled_from(
        [{}, {"labels": {"series": "a"}}, {"metric": "latency"}, {"detectors": ("high_error_rate",)}]
    ),
)
def test_a_mute_by_event_does_what_the_same_one_of_the_file_does(values, first, length, fields):
    script = [sent(minute, value) for minute, value in enumerate(values)]
    by_event = lane().run([said(first, first + length, **fields)]).run(script)
    by_file = lane(mute=(muted(first, first + length, **fields),)).run(script)
    assert by_event.outputs == by_file.outputs


def test_what_is_still_wrong_when_a_mute_is_lifted_opens_then():
    told = lane().run([said(0, 60)]).run([sent(minute, 0.4) for minute in range(10)])
    assert problems(told) == []
    at = FULL_HOUR + 600
    told.run([Sent(MuteLifted(mute_id="m", service="shop", at=at, by="jo", reason="done"), at)])
    told.run([sent(minute, 0.4) for minute in range(10, 15)])
    assert opened(told) == [(11.0, "high_error_rate")]


def test_a_mute_says_nothing_of_windows_that_were_judged():
    told = lane().run([sent(minute, 0.4) for minute in range(5)])
    before = list(told.outputs)
    told.run([said(0, 60)])
    assert told.outputs == before
    assert opened(told) == [(2.0, "high_error_rate")]


def test_a_mute_that_is_read_before_a_backlog_of_days_holds_for_its_windows():
    told = lane().run([sent(-1, 0.0)]).run([said(0, 60), Tick(FULL_HOUR + 3 * 86_400)])
    told.run([sent(minute, 0.4) for minute in range(20)])
    assert problems(told) == []
    told.run([sent(minute, 0.4) for minute in range(60, 70)])
    assert opened(told) == [(62.0, "high_error_rate")]


def test_a_service_that_has_but_mutes_is_forgotten_a_week_after_they_count():
    told = lane().run([said(0, 60)])
    (row,) = told.rows.values()
    assert (row.mute_id, row.by, row.until) == ("m", "maria", FULL_HOUR + 3_600)
    told.run([Tick(FULL_HOUR + 3_600 + 8 * 86_400 - 1)])
    assert set(told.states) == {"shop"}
    told.run([Tick(FULL_HOUR + 3_600 + 8 * 86_400)])
    assert (told.states, told.timers) == ({}, {})


def test_beyond_the_limit_one_problem_says_so_and_the_rest_opens_in_the_next_hour():
    names = [f"{number:02}" for number in range(7)]
    told = lane(problems_per_hour=3)
    told.run([sent(minute, 0.4 if minute < 6 else 0.04, name) for minute in range(8) for name in names])
    assert [detector for _, detector in opened(told)] == ["high_error_rate"] * 3 + ["problem_limit"]
    loud = problems(told)[-1]
    assert (loud.severity, loud.status, loud.environment) == ("P1", "open", "production")
    assert "opened 3 problems within an hour" in loud.why
    # the other four series are bad in six windows, and would have opened in each from the second on
    assert told.counts["problems_held"] == 20
    told.run([sent(minute, 0.4, name) for minute in range(HOUR, HOUR + 4) for name in names])
    assert [detector for _, detector in opened(told)].count("high_error_rate") == 6
    over = next(problem for problem in problems(told) if problem.detector == "problem_limit" and problem.version == 2)
    assert (over.status, over.problem_id, over.evidence["opened"]) == ("resolved", loud.problem_id, 3.0)
    assert over.evidence["held"] == 20.0


def limits(of):
    """(status, minute, version) of what was told of the limit."""
    return [
        (each.status, (each.at - FULL_HOUR) / 60, each.version)
        for each in problems(of)
        if each.detector == "problem_limit"
    ]


def beyond_the_limit(minute=0, later=0.0, **detectors):
    """A service that reached its limit in the third minute from `minute` on, with records that came `later`."""
    told = lane(problems_per_hour=1, **detectors)
    script = [sent(minute + each, 0.4, name) for each in range(4) for name in "ab"]
    return told.run([Sent(each.event, each.time + later) for each in script])


def test_the_limit_ends_with_its_hour_also_when_the_service_falls_silent():
    told = beyond_the_limit()
    assert limits(told) == [("open", 2.0, 1)]
    told.run([Tick(FULL_HOUR + 3_604)])
    assert limits(told) == [("open", 2.0, 1)]
    told.run([Tick(FULL_HOUR + 3_605)])
    assert limits(told) == [("open", 2.0, 1), ("resolved", 60.0, 2)]
    assert told.counts["problems_resolved"] == 1
    told.run([Tick(FULL_HOUR + 29 * 86_400), sent(29 * 1_440, 0.0), sent(29 * 1_440 + 2, 0.0)])
    assert len(limits(told)) == 2


def test_a_service_that_falls_silent_at_the_end_of_the_hour_is_waited_for():
    told = beyond_the_limit(56)
    assert ("open", 58.0, 1) in limits(told)
    # its last samples came a minute before the hour is over
    told.run([Tick(FULL_HOUR + 3_605)])
    assert len(limits(told)) == 2
    told = beyond_the_limit(56, later=30.0).run([Tick(FULL_HOUR + 3_605)])
    assert len(limits(told)) == 1
    told.run([Tick(FULL_HOUR + 3_630)])
    assert limits(told)[1:] == [("resolved", 60.0, 2)]


def test_while_a_backlog_comes_the_hour_is_over_by_its_event_time_though_the_clock_is_past_it():
    told = beyond_the_limit(52, later=600.0).run([Tick(FULL_HOUR + 55 * 60 + 600 + 59)])
    assert limits(told) == [("open", 54.0, 1)]
    told.run([Tick(FULL_HOUR + 55 * 60 + 600 + 60)])
    assert limits(told) == [("open", 54.0, 1), ("resolved", 60.0, 2)]


def test_an_hour_that_goes_on_after_a_silence_is_told_of_anew_and_has_no_second_quota():
    told = beyond_the_limit(50, later=600.0).run([Tick(FULL_HOUR + 4_000)])
    assert [status for status, *_ in limits(told)] == ["open", "resolved"]
    told.run([Sent(sent(minute, 0.4, "b").event, FULL_HOUR + 4_000) for minute in range(55, 59)])
    assert [status for status, *_ in limits(told)] == ["open", "resolved", "open"]
    assert [detector for _, detector in opened(told)].count("high_error_rate") == 1
    assert len({each.problem_id for each in problems(told)}) == 3


def test_series_that_no_detector_looks_at_end_the_hour_too():
    def counted(at):
        return Sent(Sample(service="shop", metric="requests", kind="counter", ts=at, value=1.0), at)

    told = beyond_the_limit().run([counted(FULL_HOUR + 58 * 60), counted(FULL_HOUR + 59 * 60 + 5)])
    assert limits(told) == [("open", 2.0, 1)]
    told.run([counted(FULL_HOUR + 3_605)])
    assert limits(told) == [("open", 2.0, 1), ("resolved", 60.0, 2)]


def test_the_limit_is_of_one_service_and_one_hour():
    told = lane(problems_per_hour=3)
    for hour in range(4):
        for name in "abc":
            told.run([sent(hour * HOUR + minute, 0.4 if minute < 3 else 0.0, name) for minute in range(10)])
    assert {detector for _, detector in opened(told)} == {"high_error_rate"}
    assert told.counts["problems_held"] == 0


def test_a_problem_that_was_open_before_the_limit_was_reached_ends_as_usual():
    told = lane(problems_per_hour=1)
    told.run([sent(minute, 0.4 if minute < 3 else 0.0, "a") for minute in range(4)])
    told.run([sent(minute, 0.4, "b") for minute in range(4, 8)])
    told.run([sent(minute, 0.0, "a") for minute in range(4, 9)])
    assert [(problem.detector, problem.status) for problem in problems(told)] == [
        ("high_error_rate", "open"),
        ("problem_limit", "open"),
        ("high_error_rate", "resolved"),
    ]


@given(
    script=st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcd"), st.sampled_from([0.0, 0.4])), max_size=80),
    limit=st.integers(1, 3),
)
def test_however_problems_come_no_hour_has_more_of_them_and_rows_say_what_was_told(script, limit):
    told, minute = lane(problems_per_hour=limit), 0
    for gap, name, value in script:
        minute += gap
        told.run([sent(minute, value, name)])
    by_hour: dict[tuple[int, bool], int] = {}
    for at, detector in opened(told):
        key = (int(at // HOUR), detector == "problem_limit")
        by_hour[key] = by_hour.get(key, 0) + 1
    assert all(number <= (1 if loud else limit) for (_, loud), number in by_hour.items())
    rows = {row.problem_id: (row.version, row.status) for row in told.rows.values() if isinstance(row, ProblemSummary)}
    assert rows == {problem.problem_id: (problem.version, problem.status) for problem in problems(told)}
