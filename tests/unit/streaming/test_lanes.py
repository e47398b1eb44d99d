"""Taking lanes over: from where they are read, and what must fit before anything is."""

from typing import Any

import msgspec
import pytest

from tests.support.fakes.clock import run
from tests.support.fakes.notes import NotesModel, topic
from tests.support.fakes.process import Ended, Mishap
from tests.support.fakes.reader import RecordedFlow
from tests.support.fakes.world import PARTITIONS, World
from vigia.stores.base import LaneId, LaneRow
from vigia.streaming.failure import EXIT_NEEDS_PERSON, EXIT_TRANSIENT
from vigia.streaming.lanes import Lanes, Worker
from vigia.streaming.ownership import BrokerFacts, Cluster
from vigia.streaming.route import Route

EMPTY = BrokerFacts(0, 0)
COUNTS = {"notes": PARTITIONS, "more": PARTITIONS}


def facts(partitions: range | list[int], at: BrokerFacts = EMPTY) -> dict[tuple[str, int], BrokerFacts]:
    return {(name, number): at for name in ("notes", "more") for number in partitions}


def acquire(
    world: World, at: dict[tuple[str, int], BrokerFacts], counts: dict[str, int] = COUNTS, **options: Any
) -> dict[tuple[str, int], int]:
    """Take over what the facts are about, in a new process."""
    flow = RecordedFlow({place: one.log_end for place, one in at.items()})
    return run(world.lanes(world.process(**options)).acquire(at, counts, 1, flow))


def test_a_new_lane_begins_at_the_start_of_the_log():
    positions = acquire(World(), facts([0, 2], BrokerFacts(7, 9)))
    assert positions == {("notes", 0): 7, ("more", 0): 7, ("notes", 2): 7, ("more", 2): 7}


@pytest.mark.parametrize("mishaps", [{}, {("commit", 0): Mishap.LOST}, {("commit", 0): Mishap.UNANSWERED}])
def test_what_expires_before_a_lanes_first_step_is_noticed_at_the_next_take_over(mishaps):
    world = World()
    acquire(world, facts([0], BrokerFacts(3, 9)), mishaps=mishaps)
    assert world.memory.lane_rows[world.lane(0)].offsets == {"notes": 3, "more": 3}
    assert world.memory.step_rows[world.lane(0)] == []
    with pytest.raises(Ended, match="now starts at 4: 1 offsets were deleted"):
        acquire(world, facts([0], BrokerFacts(4, 9)))


def test_where_a_lane_begins_is_written_once():
    world = World()
    for _ in range(3):
        acquire(world, facts([0]))
    assert len(world.memory.commits) == 1


def test_a_worker_without_a_lane_of_some_agent_takes_the_others_over():
    # three workers and an agent with one lane: two of them get none of it
    world = World()
    process = world.process()
    other = Route("other", (topic("single"),), NotesModel(), packed=False, emits=())
    steps = {"notes": world.step(process), "other": World(route=other).step(process)}
    lanes = Lanes(steps, process.ports, world.lane_limits, Worker("worker-1", world.cluster, 100))
    positions = run(lanes.acquire(facts([1]), COUNTS, 1, RecordedFlow()))
    assert positions == {("notes", 1): 0, ("more", 1): 0}


def test_a_worker_without_any_lane_has_nothing_to_take_over():
    assert acquire(World(), {}, {}) == {}


@pytest.mark.parametrize(
    ("stored", "at", "says"),
    [
        (5, BrokerFacts(6, 9), "now starts at 6"),
        (5, BrokerFacts(0, 4), "ends at 4"),
    ],
)
def test_a_stored_offset_outside_the_log_ends_with_an_explanation(stored, at, says):
    world = World()
    row = world.take_over(0).row
    world.memory.lane_rows[row.lane] = msgspec.structs.replace(row, offsets={"notes": stored})
    with pytest.raises(Ended, match=says) as ended:
        acquire(world, facts([0], at))
    assert ended.value.code == EXIT_NEEDS_PERSON


@pytest.mark.parametrize("at", [BrokerFacts(5, 5), BrokerFacts(0, 5), BrokerFacts(5, 9)])
def test_a_stored_offset_within_the_log_is_where_reading_goes_on(at):
    world = World()
    row = world.take_over(0).row
    world.memory.lane_rows[row.lane] = msgspec.structs.replace(row, offsets={"notes": 5})
    assert acquire(world, facts([0], at)) == {("notes", 0): 5, ("more", 0): at.log_start}


def test_a_topic_that_was_created_anew_ends_with_an_explanation_wherever_its_log_ends():
    world = World()
    acquire(world, facts([0], BrokerFacts(0, 9, "first")))
    assert acquire(world, facts([0], BrokerFacts(0, 9, "first"))) == {("notes", 0): 0, ("more", 0): 0}
    before = dict(world.memory.lane_rows)
    with pytest.raises(Ended, match="with the id first, but the topic of that name has the id second now") as ended:
        acquire(world, facts([0], BrokerFacts(0, 9, "second")))
    assert ended.value.code == EXIT_NEEDS_PERSON
    assert world.memory.lane_rows == before


def test_lanes_from_before_topics_had_ids_keep_the_first_that_they_see():
    world = World()
    acquire(world, facts([0]))
    assert world.memory.topic_ids(world.lane(0)) == {}
    acquire(world, facts([0], BrokerFacts(0, 0, "first")))
    acquire(world, facts([0]))
    assert world.memory.topic_ids(world.lane(0)) == {"notes": "first", "more": "first"}


def test_a_worker_that_has_but_new_lanes_notices_that_partitions_were_added():
    world = World()
    acquire(world, facts([0, 1]))
    before = dict(world.memory.lane_rows)
    with pytest.raises(Ended, match="was filled with 4 partitions a topic, but now there are 6") as ended:
        acquire(world, facts([5]), {"notes": 6, "more": 6})
    assert ended.value.code == EXIT_NEEDS_PERSON
    assert world.memory.lane_rows == before


def test_another_cluster_ends_with_an_explanation():
    world = World()
    world.take_over(0)
    world.cluster = Cluster("cluster-2", ephemeral=False)
    with pytest.raises(Ended, match="cluster-1") as ended:
        acquire(world, facts([0]))
    assert ended.value.code == EXIT_NEEDS_PERSON


def test_a_broker_that_forgets_is_adopted_with_fresh_offsets_and_all_states_kept():
    world = World()
    row = world.take_over(0).row
    world.memory.lane_rows[row.lane] = msgspec.structs.replace(row, offsets={"notes": 50}, step=3, outbox_next=8)
    world.cluster = Cluster("cluster-2", ephemeral=True)
    assert acquire(world, facts([0]))["notes", 0] == 0
    adopted = world.memory.lane_rows[row.lane]
    assert (adopted.cluster_id, adopted.offsets, adopted.step, adopted.outbox_next) == (
        "cluster-2",
        {"notes": 0, "more": 0},
        3,
        8,
    )


def test_a_lost_answer_while_a_lane_is_taken_over_or_adopted_is_asked_for_again():
    world = World()
    world.take_over(0)
    for call in ("acquire", "commit"):
        for mishap in (Mishap.LOST, Mishap.UNANSWERED):
            world.cluster = Cluster(world.cluster.cluster_id + "+", ephemeral=True)
            positions = acquire(world, facts([0]), mishaps={(call, 0): mishap})
            assert positions == {("notes", 0): 0, ("more", 0): 0}
            assert world.memory.lane_rows[world.lane(0)].cluster_id == world.cluster.cluster_id


def stored_at(world: World, lane: int, offset: int) -> None:
    row = world.take_over(lane, "the owner").row
    world.memory.lane_rows[row.lane] = msgspec.structs.replace(row, offsets={"notes": offset})


@pytest.mark.parametrize("why", ["cluster", "partitions", "log start", "log end", "topics"])
def test_a_worker_that_must_refuse_a_lane_leaves_all_to_their_owners(why):
    world = World()
    stored_at(world, 0, 5)
    stored_at(world, 2, 7)
    before = dict(world.memory.lane_rows)
    at, counts = facts([0, 1, 2], BrokerFacts(0, 9)), COUNTS
    if why == "cluster":
        world.cluster = Cluster("cluster-2", ephemeral=False)
    elif why == "partitions":
        counts = {"notes": 8, "more": 8}
    elif why == "topics":
        counts = {"notes": 4, "more": 8}
    else:
        # the last lane alone does not fit
        at["notes", 2] = BrokerFacts(8, 9) if why == "log start" else BrokerFacts(0, 6)
    with pytest.raises(Ended) as ended:
        acquire(world, at, counts)
    assert ended.value.code == EXIT_NEEDS_PERSON
    assert world.memory.lane_rows == before


def test_a_lane_that_moved_on_between_looking_and_taking_over_is_checked_again(monkeypatch):
    world = World()
    stored_at(world, 0, 5)
    acquired = world.memory.acquire

    def moved_on(lane: LaneId, *arguments: Any) -> LaneRow:
        world.memory.lane_rows[lane] = msgspec.structs.replace(world.memory.lane_rows[lane], offsets={"notes": 10})
        return acquired(lane, *arguments)

    monkeypatch.setattr(world.memory, "acquire", moved_on)
    with pytest.raises(Ended, match="up to offset 10, but Kafka's log ends at 9"):
        acquire(world, facts([0], BrokerFacts(0, 9)))


def test_what_an_earlier_owner_applies_after_the_broker_was_asked_is_no_truncated_log():
    # it reads records that came later still, and commits until it is fenced
    world = World()
    stored_at(world, 0, 5)
    flow = RecordedFlow({("notes", 0): 6})
    positions = run(world.lanes(world.process()).acquire(facts([0], BrokerFacts(0, 4)), COUNTS, 1, flow))
    assert positions["notes", 0] == 5
    assert flow.asked[0] == ("log_end", "notes", 0)


def test_another_number_of_partitions_ends_with_an_explanation():
    world = World()
    world.take_over(0)
    with pytest.raises(Ended, match="4 partitions a topic, but now there are 8") as ended:
        acquire(world, facts([0]), {"notes": 8, "more": 8})
    assert ended.value.code == EXIT_NEEDS_PERSON


def test_topics_of_an_agent_with_different_numbers_of_partitions_end_with_an_explanation():
    with pytest.raises(Ended, match="more: 8, notes: 4") as ended:
        acquire(World(), facts([0]), {"notes": 4, "more": 8})
    assert ended.value.code == EXIT_NEEDS_PERSON


def test_an_assignment_that_is_not_aligned_ends_with_an_explanation():
    split = {("notes", 0): EMPTY, ("more", 1): EMPTY}
    with pytest.raises(Ended, match="do not belong together") as ended:
        acquire(World(), split)
    assert ended.value.code == EXIT_NEEDS_PERSON


def test_a_database_that_stays_away_ends_the_process_as_transient():
    with pytest.raises(Ended) as ended:
        acquire(World(), facts([0]), budget=5.0, mishaps={("acquire", n): Mishap.REFUSED for n in range(999)})
    assert ended.value.code == EXIT_TRANSIENT
