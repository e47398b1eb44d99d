"""The swap: the rebuilt database takes the live one's place, nothing is lost that it cannot make, nobody is at work."""

import asyncio
import subprocess
import sys
import time

import msgspec
import pytest

from scripts.rebuilding import swapping
from scripts.rebuilding.errors import TryAgain
from tests.unit.scripts.rebuild_running import compared, execute, lived, rebuilt, swapped
from tests.unit.scripts.rebuild_world import World
from vigia.stores.base import LaneRow, OutboxRow, StepCommit
from vigia.stores.sql.summaries import SqlSummaries, open_summaries
from vigia.streaming.failure import LaneLostError

LANES = "SELECT agent, partition, version, step, outbox_next FROM lanes ORDER BY agent, partition"


def test_the_rebuilt_database_takes_the_place_of_a_damaged_one(life):
    live = life.data_dir / "summaries.db"
    before = execute(live, LANES)
    execute(live, "UPDATE windows SET count = count + 1")
    assert not compared(life).equal
    kept = swapped(life)
    assert kept.name.startswith("summaries_old_2")
    assert sorted(path.name for path in life.data_dir.glob("summaries*")) == ["summaries.db", kept.name]
    rebuilt(life)
    assert compared(life).equal
    damaged = "SELECT SUM(count) FROM windows"
    assert execute(kept, damaged)[0][0] > execute(live, damaged)[0][0]
    for (*lane, old_version, step, number), (*same, version, same_step, same_number) in zip(
        before, execute(live, LANES), strict=True
    ):
        assert (lane, step, number) == (same, same_step, same_number)
        assert version > old_version


def test_workers_go_on_after_the_swap_and_an_earlier_owner_conflicts(life):
    world = World(life, 1)
    lane = next(row.lane for row in world.stores.summaries.lanes() if row.lane.agent == "telemetry")
    state = world.lane(lane)
    world.close()
    rebuilt(life)
    swapped(life)
    world.append("ai-decisions", b"junk", partition=lane.partition)
    with pytest.raises(LaneLostError):
        asyncio.run(world.work("ai-decisions", lane.partition))
    world.close()
    assert world.lanes[lane] is state
    lived(life, 2, 60)
    rebuilt(life)
    assert compared(life).equal


def test_lanes_know_their_topics_again_after_the_swap(life):
    summaries = open_summaries(life.summaries.url)
    lane = summaries.lanes()[0].lane
    summaries.keep_topic_ids(lane, {"metrics": "an id"})
    summaries.close()
    rebuilt(life)
    swapped(life)
    assert summaries.topic_ids(lane) == {"metrics": "an id"}
    summaries.close()


def test_outputs_that_wait_and_marks_of_people_are_carried_over(life):
    summaries = open_summaries(life.summaries.url)
    row = _lane_with_nothing_waiting(summaries)
    letter = summaries.dead_letters(None, 1)[0]
    number = row.outbox_next - 1
    owned = summaries.acquire(row.lane, "worker", row.cluster_id, row.partition_count)
    waiting = OutboxRow(number, "risk", b"key", b"value", (("name", b"1"),), 3)
    summaries.commit(StepCommit(_raised(owned), owned.version, None, outbox=[waiting]))
    summaries.mark_dead_letters([letter.letter_id], "accepted")
    summaries.close()
    swapped(life)
    summaries = open_summaries(life.summaries.url)
    assert summaries.outbox(row.lane, 10) == [waiting]
    assert [each.letter_id for each in summaries.dead_letters("accepted", 10)] == [letter.letter_id]
    summaries.close()


def test_a_swap_that_was_interrupted_can_be_repeated(life, monkeypatch):
    summaries = open_summaries(life.summaries.url)
    row = _lane_with_nothing_waiting(summaries)
    owned = summaries.acquire(row.lane, "worker", row.cluster_id, row.partition_count)
    waiting = OutboxRow(row.outbox_next - 1, "risk", b"key", b"value")
    summaries.commit(StepCommit(_raised(owned), owned.version, None, outbox=[waiting]))
    summaries.close()
    with monkeypatch.context() as patched:
        patched.setattr("scripts.rebuilding.swap_sqlite.exchange", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            swapped(life)
    assert compared(life).equal
    swapped(life)
    summaries = open_summaries(life.summaries.url)
    assert summaries.outbox(row.lane, 10) == [waiting]
    summaries.close()


def test_a_rebuilt_database_that_is_behind_is_not_swapped_in(life):
    lived(life, 9, 30)
    with pytest.raises(TryAgain, match="`run` first"):
        swapped(life)


def test_a_dry_run_changes_nothing(life):
    live = life.data_dir / "summaries.db"
    before = execute(live, LANES)
    assert not swapped(life, dry=True).exists()
    assert execute(live, LANES) == before


def test_a_process_that_has_the_live_file_open_is_named(life):
    code = f"import sqlite3, sys; c = sqlite3.connect({str(life.data_dir / 'summaries.db')!r}); "
    code += "c.execute('SELECT 1 FROM lanes').fetchone(); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"open\n"
        with pytest.raises(TryAgain, match=f"process {reader.pid} "):
            swapped(life)
        reader.communicate()


def test_a_connection_that_nobody_could_see_keeps_the_file_from_being_replaced(life, monkeypatch):
    monkeypatch.setattr("scripts.rebuilding.swap_sqlite.others", lambda _live: [])
    world = World(life)
    world.stores.summaries.lanes()
    with pytest.raises(TryAgain, match="is in use"):
        swapped(life)
    world.close()


@pytest.mark.parametrize("when", ["while it watches", "just before it takes over"])
def test_lanes_that_move_stop_the_swap(life, monkeypatch, when):
    def meddle(*_: object) -> None:
        summaries = open_summaries(life.summaries.url)
        row = summaries.lanes()[0]
        summaries.acquire(row.lane, "a worker", row.cluster_id, row.partition_count)
        summaries.close()

    if when == "while it watches":
        monkeypatch.setattr(time, "sleep", meddle)
    else:
        original = swapping._take_over

        def late(live, rows):
            meddle()
            return original(live, rows)

        monkeypatch.setattr(swapping, "_take_over", late)
    with pytest.raises(TryAgain, match="a worker is running"):
        swapped(life)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _raised(row):
    return msgspec.structs.replace(row, version=row.version + 1)


def _lane_with_nothing_waiting(summaries: SqlSummaries) -> LaneRow:
    return next(row for row in summaries.lanes() if row.outbox_next > 1 and not summaries.outbox(row.lane, 1))
