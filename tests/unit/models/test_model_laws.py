"""Every model keeps the laws of `vigia.events.effects.Model`; the cases are in the files `cases_*.py` beside this."""

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import Lane, ModelCase, Sent, not_a_number, swapped
from vigia.app.routes import ROUTES
from vigia.events.effects import Timer

HERE = Path(__file__).parent
CASES: list[ModelCase] = [
    case for path in sorted(HERE.glob("cases_*.py")) for case in import_module(f"tests.unit.models.{path.stem}").CASES
]

models = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@models
@given(data=st.data())
def test_the_same_input_gives_the_same_output(case, data):
    script = data.draw(case.scripts())
    assert Lane(case.make()).run(script).seen() == Lane(case.make()).run(script).seen()


@models
@given(data=st.data())
def test_a_batch_split_anywhere_equals_the_whole(case, data):
    script = data.draw(case.scripts())
    cuts = data.draw(st.sets(st.integers(0, len(script))))
    assert Lane(case.make()).run(script, cuts).seen() == Lane(case.make()).run(script).seen()


@models
@given(data=st.data())
def test_single_events_equal_one_batch(case, data):
    script = data.draw(case.scripts())
    assert Lane(case.make()).run(script, range(len(script))).seen() == Lane(case.make()).run(script).seen()


@models
@given(data=st.data())
def test_the_order_of_events_of_different_keys_does_not_matter_to_the_states(case, data):
    script = data.draw(case.scripts(ticks=False))
    positions = data.draw(st.lists(st.integers(0, max(0, len(script) - 2)), max_size=60)) if len(script) > 1 else []
    model = case.make()
    whole, shuffled = Lane(model).run(script), Lane(model).run(swapped(model, script, positions))
    assert shuffled.dumped() == whole.dumped()
    assert shuffled.timers == whole.timers
    assert shuffled.rows == whole.rows


@models
@given(data=st.data())
def test_states_kept_in_memory_equal_states_that_were_stored_and_loaded(case, data):
    script = data.draw(case.scripts())
    cuts = data.draw(st.sets(st.integers(0, len(script))))
    stored = Lane(case.make(), reload=True).run(script, cuts)
    assert stored.seen() == Lane(case.make(), reload=False).run(script, cuts).seen()
    for key, body in stored.dumped().items():
        assert stored.model.dump(key, stored.model.load(key, stored.model.schema, body)) == body


@models
@given(data=st.data())
def test_nothing_is_ever_nan(case, data):
    lane = Lane(case.make()).run(data.draw(case.scripts()))
    assert not_a_number([list(lane.rows.values()), lane.outputs, list(lane.timers.values())]) == []


@models
@given(data=st.data())
def test_every_event_is_applied_or_rejected_once(case, data):
    script = data.draw(case.scripts())
    lane = Lane(case.make()).run(script)
    indexes = [index for index, _ in lane.rejections]
    assert len(indexes) == len(set(indexes))
    assert lane.taken == sum(isinstance(item, Sent) for item in script)
    assert all(0 <= index < lane.taken for index in indexes)


@models
@given(data=st.data())
def test_a_state_key_tells_the_key_of_its_records(case, data):
    model = case.make()
    (reads,) = [row.reads for row in ROUTES if row.name == model.name]
    script = data.draw(case.scripts())
    for sent in (item for item in script if isinstance(item, Sent)):
        topic = next(topic for topic in reads if isinstance(sent.event, topic.types))
        assert {model.record_key(key) for key in model.keys([sent.event])} <= {topic.key_of(sent.event)}
    lane = Lane(model).run(script)
    for (kind, key), due in lane.timers.items():
        owners = {model.record_key(each) for each in model.timer_keys(Timer(kind, key, due))}
        assert len(owners) == 1
        assert owners <= {model.record_key(each) for each in lane.states}


def test_all_models_are_under_the_laws():
    assert {row.name for row in ROUTES} == {case.make().name for case in CASES}
