"""The metrics model: problems out of closed windows, and what is stored of a service."""

import msgspec
import pytest

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.effects import Changes, States, Timer
from vigia.events.identity import derive_id
from vigia.events.samples import Sample, series_of
from vigia.events.summaries import ProblemSummary, SeriesSummary
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.metrics import MetricsConfig, MetricsModel


def model(**settings):
    detectors = DetectorConfig(high_error_rate=HighErrorRate(open_after=1))
    return MetricsModel(MetricsConfig(detectors=detectors, **settings))


def sample(offset, value, **fields):
    return Sample(service="shop", metric="error_rate", ts=START + offset, value=value, **fields)


def minutes(*means, delay=1.0):
    """Four samples a minute of each mean, and what closes the last minute; they arrive `delay` seconds later."""
    offsets = [(60.0 * minute + 15.0 * part, mean) for minute, mean in enumerate(means) for part in range(4)]
    offsets.append((60.0 * len(means) + 5.0, 0.0))
    return [Sent(sample(offset, mean), START + offset + delay) for offset, mean in offsets]


def problems(lane):
    return [output.event for output in lane.outputs]


def test_a_high_error_rate_opens_one_problem_and_resolves_it():
    lane = Lane(model()).run(minutes(0.01, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0))
    opened, resolved = problems(lane)
    series = series_of(sample(0.0, 0.0))
    assert opened.problem_id == resolved.problem_id == derive_id("problem", series.series_id, "high_error_rate", "1")
    assert (opened.status, opened.version, opened.severity, opened.at) == ("open", 1, "P2", START + 120)
    assert (resolved.status, resolved.version, resolved.opened_at) == ("resolved", 2, opened.opened_at)
    assert {(output.topic, output.key) for output in lane.outputs} == {("problems", "shop")}
    (row,) = [row for row in lane.rows.values() if isinstance(row, ProblemSummary)]
    assert (row.status, row.version, row.why) == ("resolved", 2, resolved.why)
    assert (lane.counts["problems_opened"], lane.counts["problems_resolved"]) == (1, 1)


def test_late_samples_never_open_a_problem():
    lane = Lane(model()).run(minutes(0.01))
    lane.run([Sent(sample(30.0, 1.0), START + 70)] * 50)
    assert lane.counts["late_samples"] == 50
    assert problems(lane) == []


def test_an_idle_service_opens_its_problem_by_the_clock():
    lane = Lane(model()).run([*minutes(0.9)[:-1], Tick(START + 200)])
    assert [problem.status for problem in problems(lane)] == ["open"]


def test_a_problem_in_a_backlog_is_stale_and_opens_when_it_goes_on():
    lane = Lane(model()).run(minutes(0.9, delay=7_200.0)[:-1])
    assert problems(lane) == []
    lane.run([Sent(sample(65.0 + part, 0.9), START + 7_300) for part in range(3)])
    assert [(problem.status, problem.version) for problem in problems(lane)] == [("stale", 1)]
    assert lane.counts["problems_stale"] == 1
    lane.run([Sent(sample(7_200.0 + part, 0.9), START + 7_300) for part in range(3)])
    lane.run([Sent(sample(7_300.0, 0.9), START + 7_300)])
    assert [(problem.status, problem.version) for problem in problems(lane)] == [("stale", 1), ("open", 2)]
    assert len({problem.problem_id for problem in problems(lane)}) == 1


def test_staleness_is_measured_from_the_end_of_the_window_to_the_kafka_time_that_closed_it():
    for lag, status in ((900.0, "open"), (900.1, "stale")):
        sent = [*minutes(0.9)[:-1], Sent(sample(65.0, 0.0), START + 60 + lag)]
        assert [problem.status for problem in problems(Lane(model()).run(sent))] == [status]


def test_each_series_has_its_own_problem_with_its_labels():
    sent = [
        Sent(sample(second, 0.5, labels={"zone": zone, "app": "x"}), START)
        for second in range(4)
        for zone in ("a", "b")
    ]
    lane = Lane(model()).run([*sent, Tick(START + 65)])
    assert sorted(problem.labels for problem in problems(lane)) == ["app=x,zone=a", "app=x,zone=b"]
    assert len({problem.problem_id for problem in problems(lane)}) == 2


def test_a_series_row_says_what_the_id_stands_for():
    lane = Lane(model()).run(minutes(0.01))
    (row,) = [row for row in lane.rows.values() if isinstance(row, SeriesSummary)]
    assert (row.service, row.metric, row.kind, row.first_seen) == ("shop", "error_rate", "gauge", START)


def test_a_stored_state_is_plain_and_small():
    lane = Lane(model()).run(minutes(0.9)[:-1])
    body = lane.dumped()["shop"]
    assert isinstance(msgspec.msgpack.decode(body), list)
    assert len(body) < 200


def test_a_state_of_another_schema_or_of_other_bytes_is_refused():
    with pytest.raises(ValueError, match="schema 7"):
        model().load("shop", 7, b"")
    with pytest.raises(msgspec.ValidationError):
        model().load("shop", 3, msgspec.msgpack.encode(["x"]))


def test_a_timer_of_a_forgotten_service_does_nothing():
    changes = Changes()
    states = States({"gone": None})
    model().fire(Timer("idle", "gone", START), START, states, changes)
    assert (changes.timers, changes.summaries, states.changed) == ({}, {}, set())


def test_only_the_touched_services_are_put():
    states = States({"shop": None, "mail": None})
    model().apply([sample(0.0, 0.0)], [START], states, Changes())
    assert states.changed == {"shop"}
