"""A lane has one name: messages and logs show what `scripts.dead_letters accept` takes."""

import pytest

from scripts.letters.accepting import lane_of
from vigia.stores.base import LaneId, LaneRow
from vigia.streaming.failure import NeedsPersonError
from vigia.streaming.ownership import BrokerFacts, position


def test_a_lane_reads_as_it_is_written():
    lane = LaneId("metrics", 0)
    assert f"{lane}" == str(lane) == "metrics/0"
    assert lane_of(str(lane)) == lane


def test_a_message_to_a_person_names_the_lane_so():
    row = LaneRow(
        lane=LaneId("metrics", 3),
        version=1,
        step=1,
        cluster_id="c",
        partition_count=4,
        offsets={"metrics": 5},
        clock=0.0,
        outbox_next=0,
        counts={},
    )
    with pytest.raises(NeedsPersonError, match=r"^lane metrics/3 has applied metrics up to offset 5"):
        position(row, "metrics", BrokerFacts(6, 9))
