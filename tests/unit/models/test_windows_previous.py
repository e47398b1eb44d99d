"""Workers of two releases: the older form of a service's state says the same, and the release before reads it."""

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.cases_metrics import CASES, CONFIG
from tests.unit.models.laws import START, Lane, Sent
from vigia.events.feedback import Severity
from vigia.events.problems import Problem
from vigia.events.samples import Sample, Series
from vigia.models.metrics import MetricsModel
from vigia.models.windows.state import Window

(CASE, *_) = CASES


class OldErrorRateState(msgspec.Struct, frozen=True, array_like=True, tag="high_error_rate"):
    """As the release before had it."""

    opened: int = 0
    status: Literal["none", "open", "stale"] = "none"
    run: int = 0
    version: int = 0
    severity: Severity = "P3"
    opened_at: float = 0.0


class OldSeriesState(msgspec.Struct, array_like=True):
    """The same."""

    series: Series
    detectors: dict[str, OldErrorRateState]
    closed: int
    behind: int
    windows: dict[int, Window]


class OldStored(msgspec.Struct, array_like=True):
    """The same."""

    latest: float
    arrival: float
    timer: float | None
    series: list[OldSeriesState]
    forgotten: int = 0
    forgotten_problems: int = 0


def problems(lane):
    return [output.event for output in lane.outputs if isinstance(output.event, Problem)]


def handed_back(body):
    """The state as the release before writes it again, after it has read what this one wrote."""
    return msgspec.msgpack.encode(msgspec.msgpack.decode(body, type=OldStored))


class HeldBack(MetricsModel):
    """What a lane does while a worker of the release before is about: states go through the older form."""

    def dump(self, key, state):
        return self.dump_previous(key, state)

    def load(self, key, schema, body):
        return super().load(key, schema - 1, body)


@given(data=st.data())
def test_nothing_depends_on_the_form_in_which_states_are_written(data):
    script = data.draw(CASE.scripts())
    cuts = data.draw(st.sets(st.integers(0, len(script))))
    held, newest = Lane(HeldBack(CONFIG)).run(script, cuts), Lane(MetricsModel(CONFIG)).run(script, cuts)
    mine = {**held.seen(), "states": {key: newest.model.dump(key, state) for key, state in sorted(held.states.items())}}
    assert mine == newest.seen()


@given(data=st.data())
def test_the_release_before_reads_everything_that_it_knows(data):
    lane = Lane(MetricsModel(CONFIG)).run(data.draw(CASE.scripts()))
    for key, state in lane.states.items():
        old = msgspec.msgpack.decode(MetricsModel(CONFIG).dump_previous(key, state), type=OldStored)
        assert (old.latest, old.arrival, old.timer) == (state.latest, state.arrival, state.timer)
        assert (old.forgotten, old.forgotten_problems) == (state.forgotten, state.forgotten_problems)
        for series, spot in zip(old.series, state.series, strict=True):
            held = spot.held
            assert (series.series, series.closed, series.behind) == (held.series, held.closed, held.behind)
            assert series.windows == held.windows
            assert set(series.detectors) <= {"high_error_rate"}
            for name, each in series.detectors.items():
                mine = held.detectors[name]
                fields = OldErrorRateState.__struct_fields__
                assert [getattr(each, field) for field in fields] == [getattr(mine, field) for field in fields]


@given(data=st.data())
def test_after_the_release_before_has_had_a_lane_no_two_problems_share_an_id(data):
    lane = Lane(MetricsModel(CONFIG)).run(data.draw(CASE.scripts()))
    before = {problem.problem_id for problem in problems(lane)}
    # those go on
    known = {problem.problem_id for problem in problems(lane) if problem.detector == "high_error_rate"}
    model, taken = MetricsModel(CONFIG), len(lane.outputs)
    for key, state in lane.states.items():
        lane.states[key] = model.load(key, model.schema - 1, handed_back(model.dump_previous(key, state)))
    lane.run(data.draw(CASE.scripts()))
    fresh = {problem.problem_id for problem in problems(lane)[taken:] if problem.version == 1}
    assert not fresh & (before - known)
    assert len({(problem.problem_id, problem.version) for problem in problems(lane)}) == len(lane.outputs)


def test_a_disk_that_is_full_before_and_after_the_release_before_had_its_lane_has_two_problems():
    def full(minutes):
        return [
            Sent(Sample(service="shop", metric="disk_used", ts=START + 60 * minute, value=value), START + 60 * minute)
            for minute, value in enumerate(minutes)
            if value is not None
        ]

    model = MetricsModel(CONFIG)
    lane = Lane(model).run(full([0.95, 0.1, 0.1, 0.1]))
    lane.states["shop"] = model.load("shop", 2, handed_back(model.dump_previous("shop", lane.states["shop"])))
    lane.run(full([None] * 4 + [0.95, 0.1, 0.1, 0.1]))
    assert [problem.status for problem in problems(lane)] == ["open", "resolved"] * 2
    assert len({problem.problem_id for problem in problems(lane)}) == 2


def test_an_open_problem_of_the_release_before_is_resolved_by_this_one():
    old = OldStored(
        START, START, None,
        [OldSeriesState(Series("id", "shop", "production", "error_rate", (), "gauge", "1"),
                        {"high_error_rate": OldErrorRateState(1, "open", 0, 1, "P2", START - 60)}, int(START), 0, {})],
    )  # fmt: skip
    lane = Lane(MetricsModel(CONFIG))
    lane.states["shop"] = lane.model.load("shop", 2, msgspec.msgpack.encode(old))
    lane.run([Sent(Sample(service="shop", metric="error_rate", ts=START + second, value=0.0), START) for second in
              range(0, 240, 20)])  # fmt: skip
    (resolved,) = problems(lane)
    assert (resolved.status, resolved.version, resolved.opened_at) == ("resolved", 2, START - 60)


def test_a_state_of_two_releases_ago_is_refused():
    with pytest.raises(ValueError, match="schema 1"):
        MetricsModel(CONFIG).load("shop", 1, b"")
