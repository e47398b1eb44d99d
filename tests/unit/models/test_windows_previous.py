"""Workers of two releases: the older form of a service's state says the same, and the release before reads it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.cases_metrics import CASES, CONFIG, OneTopic
from tests.unit.models.laws import Lane
from vigia.models.detectors.quota import Quota
from vigia.models.metrics import MetricsModel
from vigia.models.windows.state import SeriesState
from vigia.models.windows.unrolled import Rolling

CASE = next(case for case in CASES if case.name == "metrics-muted")


class OldStored(msgspec.Struct, array_like=True):
    """As the release before had it."""

    latest: float
    arrival: float
    timer: float | None
    series: list[SeriesState]
    forgotten: int
    forgotten_problems: int
    quota: Quota
    rolling: Rolling


def handed_back(body):
    """The state as the release before writes it again, after it has read what this one wrote."""
    return msgspec.msgpack.encode(msgspec.msgpack.decode(body, type=OldStored))


class HeldBack(OneTopic):
    """What a lane does while a worker of the release before is about: states go through the older form."""

    def dump(self, key, state):
        return self.dump_previous(key, state)

    def load(self, key, schema, body):
        return super().load(key, schema - 1, body)


@given(data=st.data())
def test_nothing_depends_on_the_form_in_which_states_are_written(data):
    script = data.draw(CASE.scripts())
    cuts = data.draw(st.sets(st.integers(0, len(script))))
    held, newest = Lane(HeldBack(CONFIG)).run(script, cuts), Lane(OneTopic(CONFIG)).run(script, cuts)
    mine = {**held.seen(), "states": {key: newest.model.dump(key, state) for key, state in sorted(held.states.items())}}
    assert mine == newest.seen()


@given(data=st.data())
def test_what_the_release_before_has_rewritten_lacks_the_mutes_and_nothing_else(data):
    model = OneTopic(CONFIG)
    lane = Lane(model).run(data.draw(CASE.scripts()))
    for key, state in lane.states.items():
        back = lane.model.load(key, 3, handed_back(model.dump_previous(key, state)))
        assert back.mutes == {}
        back.mutes = state.mutes
        assert lane.model.dump(key, back) == lane.model.dump(key, state)


def test_a_state_of_two_releases_ago_is_refused():
    with pytest.raises(ValueError, match="schema 2"):
        MetricsModel(CONFIG).load("shop", 2, b"")
