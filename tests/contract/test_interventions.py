"""What people do to lanes is kept in the place of a step, with what it changed, or not at all."""

import msgspec
import pytest

from tests.contract.summaries_rows import LANE, OTHER, commit, take
from vigia.stores.errors import Conflict
from vigia.stores.sql.interventions import Intervention


def moving(row, after, **changes):
    done = Intervention(
        lane=row.lane,
        sequence=row.step + 1,
        kind="move",
        topic="metrics",
        before=row.offsets["metrics"],
        after=after,
        at=1_700_000_000.25,
        by="ada@desk",
        because="the disk was lost ☠",
    )
    return msgspec.structs.replace(done, **changes)


@pytest.fixture
def row(summaries):
    """A lane at offset 10 of metrics and 7 of another topic, after a step."""
    return commit(summaries, take(summaries), lane={"offsets": {"metrics": 10, "more": 7}})


def test_a_move_sets_one_offset_in_the_place_of_a_step(summaries, row):
    done = moving(row, 3)
    moved = summaries.move_lane(row, done, forget_topic=False)
    assert summaries.read_lane(LANE) == moved
    assert (moved.offsets, moved.step, moved.version) == ({"metrics": 3, "more": 7}, row.step + 1, row.version + 1)
    assert summaries.interventions(LANE) == [done]
    assert summaries.interventions(OTHER) == []
    assert [step.sequence for step in summaries.steps(LANE, 0, 10)] == [row.step]


def test_a_lane_that_went_on_meanwhile_is_not_moved(summaries, row):
    commit(summaries, row)
    before = summaries.read_lane(LANE)
    with pytest.raises(Conflict):
        summaries.move_lane(row, moving(row, 3), forget_topic=True)
    assert summaries.read_lane(LANE) == before
    assert summaries.interventions(LANE) == []


def test_only_the_topic_that_was_created_anew_is_forgotten_and_only_in_that_lane(summaries, row):
    for lane in (LANE, OTHER):
        summaries.keep_topic_ids(lane, {"metrics": "id1", "more": "id2"})
    row = summaries.move_lane(row, moving(row, 3), forget_topic=False)
    assert summaries.topic_ids(LANE) == {"metrics": "id1", "more": "id2"}
    summaries.move_lane(row, moving(row, 0), forget_topic=True)
    assert summaries.topic_ids(LANE) == {"more": "id2"}
    assert summaries.topic_ids(OTHER) == {"metrics": "id1", "more": "id2"}
    assert [each.after for each in summaries.interventions(LANE)] == [3, 0]
