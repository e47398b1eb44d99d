"""A rebuild from the raw log equals the live database in every table, to the last bit, whatever befell the lanes."""

import asyncio
from pathlib import Path

import pytest

from scripts.rebuilding import places
from scripts.rebuilding.errors import RebuildStopped, TryAgain
from tests.unit.scripts.rebuild_running import Watched, compared, execute, lived, moved, rebuilt
from tests.unit.scripts.rebuild_world import PARTITIONS, World, settings_in
from vigia.app.opening import opened_summaries
from vigia.events.samples import Sample
from vigia.events.summaries import ProposalSummary
from vigia.stores.base import LaneId
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.streaming.intake import encoded
from vigia.streaming.partitions import partition_of


@pytest.mark.parametrize("seed", range(3))
def test_random_events_in_random_cuts_with_crashes_are_rebuilt_equal(tmp_path: Path, seed: int) -> None:
    settings = settings_in(tmp_path)
    lived(settings, seed, 400)
    watch = rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    assert watch.steps == watch.planned == report.rows["steps"]
    assert len(watch.lanes) == report.rows["lanes"]
    decided = ("ai_decisions", "ai_decision_tallies", "ai_decision_times")
    delivery = ("deliveries", "delivered_commits", "attributions")
    busy = (
        "windows",
        "states",
        "due",
        "seen",
        "dead_letters",
        "deployments",
        "incidents",
        "verdicts",
        *decided,
        *delivery,
    )
    assert all(report.rows[table] > 3 for table in busy), report.rows
    with opened_summaries(settings, read_only=True) as summaries:
        proposals = [to_struct(ProposalSummary, row) for row in summaries.fetch(select_rows(ProposalSummary))]
    assert any(each.after for each in proposals), "a proposal names the deployment before its problem"


def test_a_killed_rebuild_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lived(settings, 11, 200)
    total = rebuilt_in_pieces = 0
    while True:
        watch = Watched(steps_left=7)
        try:
            rebuilt(settings, watch)
        except KeyboardInterrupt:
            rebuilt_in_pieces += 1
            total += watch.steps
            continue
        total += watch.steps
        break
    report = compared(settings)
    assert report.equal, report.differences
    assert rebuilt_in_pieces > 3
    assert total == report.rows["steps"]


def test_the_live_lanes_may_move_on_and_run_catches_up(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings, 5)
    asyncio.run(world.live(60))
    first = rebuilt(settings)
    assert compared(settings).equal
    asyncio.run(world.live(60))
    with pytest.raises(TryAgain, match=r"ahead of the rebuilt ones \(steps: deployments/0 by \d+"):
        compared(settings)
    second = rebuilt(settings)
    report = compared(settings)
    assert report.equal
    assert first.steps + second.steps == report.rows["steps"]
    world.close()


def test_lanes_that_went_over_to_a_new_embedded_broker_are_read_from_the_old_one_first(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings, 6)
    asyncio.run(world.live(60))
    world.new_cluster("cluster-2")
    for row in world.stores.summaries.lanes():
        world.lane(row.lane)
    asyncio.run(world.live(60))
    world.new_cluster("cluster-3")
    world.lane(next(row.lane for row in world.stores.summaries.lanes()))  # taken over, and nothing came
    world.close()
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    clusters = execute(tmp_path / "summaries_rebuild.db", "SELECT DISTINCT cluster_id FROM lanes ORDER BY 1")
    assert clusters == [("cluster-2",), ("cluster-3",)]


def test_a_lane_that_a_flood_stopped_and_a_person_released_is_rebuilt(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, VIGIA_STREAM_INVALID_RUN="5")
    world = World(settings)
    for _ in range(3):
        for _ in range(6):
            world.append("metrics", b"junk", partition=2)
        asyncio.run(world.work("metrics", 2))  # releases it first
    assert world.lane_row("metrics", 2).stopped
    rebuilt(settings)
    assert compared(settings).equal
    assert execute(tmp_path / "summaries_rebuild.db", "SELECT stopped <> '' FROM lanes") == [(1,)]
    world.stores.summaries.release(world.lane_row("metrics", 2).lane)
    world.close()
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences


def test_kinds_that_nobody_needs_stop_a_rebuilt_lane_no_more_than_the_live_one(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, VIGIA_STREAM_INVALID_RUN="5")
    world = World(settings)
    for _ in range(8):
        world.append("metrics", b'{"ref": "refs/heads/main"}', partition=2, headers=(("X-GitHub-Event", b"push"),))
        world.append("metrics", b"junk", partition=2)
        asyncio.run(world.work("metrics", 2))
        if world.lane_row("metrics", 2).stopped:
            break
    stopped = world.lane_row("metrics", 2)
    assert (stopped.flood_run, stopped.counts["metrics.invalid"]) == (5, 10)
    world.close()
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences


def test_lanes_that_a_person_moved_are_moved_again_at_the_same_place(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings, 7)
    asyncio.run(world.live(80))
    lanes = [row for row in world.stores.summaries.lanes() if row.offsets]
    # one reads its last records again, one leaves out what comes next, another stays as it was moved
    back, ahead, still = [row for row in lanes if row.step > 2][:3]
    topic = next(iter(back.offsets))
    before = world.lane_row(*back.lane).counts
    moved(settings, back.lane, topic, -min(5, back.offsets[topic]))
    skipped = next(iter(ahead.offsets))
    world.append(skipped, b"[]", partition=ahead.lane.partition, skip=0)
    moved(settings, ahead.lane, skipped, 1)
    world.restart()
    asyncio.run(world.live(80))
    moved(settings, still.lane, next(iter(still.offsets)), -1)
    assert world.lane_row(*back.lane).counts[f"{topic}.in"] > before[f"{topic}.in"] + 3
    world.close()
    watch = rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    assert report.rows["interventions"] == 3
    assert watch.steps == watch.planned == report.rows["steps"] + 3
    assert rebuilt(settings).steps == 0


def test_records_on_which_the_model_failed_are_set_aside_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings)
    samples = [Sample(service="checkout", metric="latency", ts=world.clock, value=value) for value in (1.0, 2.0, 3.0)]
    partition = world.append("metrics", encoded(samples[0]), key=b"checkout", skip=0).partition
    asyncio.run(world.drain())
    world.append("metrics", encoded(samples[1]), key=b"checkout", skip=0)
    asyncio.run(world.work("metrics", partition, quarantine="Traceback: it went wrong"))
    world.append("metrics", encoded(samples[2]), key=b"checkout", skip=0)
    asyncio.run(world.drain())
    assert world.lane_row("metrics", partition).counts["metrics.invalid"] == 1
    world.close()
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    assert report.rows["dead_letters"] == 1


def test_timers_on_which_the_model_failed_are_set_aside_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings)
    services = (b"catalogue-search", b"host")  # in two lanes
    for service in services:
        sample = Sample(service=service.decode(), metric="latency", ts=world.clock, value=1.0)
        world.append("metrics", encoded(sample), key=service)
    asyncio.run(world.drain())
    world.clock += 1000
    for service in services:
        lane = LaneId("metrics", partition_of(service, PARTITIONS))
        (timer,) = world.stores.summaries.due(lane, world.clock, 10)
        asyncio.run(world.tick("metrics", lane.partition))
        drop = {timer: "Traceback: it went wrong"} if service == b"host" else {}
        asyncio.run(world.work("metrics", lane.partition, drop=drop))
    world.close()
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    assert (report.rows["windows"], report.rows["dead_letters"]) == (1, 1)


def test_after_a_restore_the_raw_log_may_have_more_than_the_lanes_have_applied(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lived(settings, 13, 100)
    backup = (tmp_path / "summaries.db").read_bytes()
    kept = execute(tmp_path / "raw.db", "SELECT COUNT(*) FROM raw_events")
    lived(settings, 14, 100)
    assert execute(tmp_path / "raw.db", "SELECT COUNT(*) FROM raw_events") > kept
    (tmp_path / "summaries.db").write_bytes(backup)
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences


def test_nothing_is_published_or_kept_to_be_published(life) -> None:
    folder = life.data_dir
    assert execute(folder / "summaries.db", "SELECT SUM(outbox_next) > 100 FROM lanes") == [(1,)]
    assert execute(folder / "summaries_rebuild.db", "SELECT COUNT(*) FROM outbox") == [(0,)]


def test_a_rebuild_changes_nothing_in_the_live_database(life) -> None:
    folder = life.data_dir
    dump = "SELECT * FROM lanes ORDER BY agent, partition"
    before = execute(folder / "summaries.db", dump)
    places.drop(places.live_place(life), places.rebuilt_place(life))
    rebuilt(life)
    assert execute(folder / "summaries.db", dump) == before


def test_a_missing_first_record_stops_with_lane_step_and_offsets(life) -> None:
    folder = life.data_dir
    ((agent, partition, sequence, topic, offset),) = execute(
        folder / "summaries.db",
        "SELECT agent, partition, sequence, topic, first_offset FROM steps "
        "WHERE agent = 'deployments' AND sequence = 3 ORDER BY partition LIMIT 1",
    )
    execute(
        folder / "raw.db", 'DELETE FROM raw_events WHERE topic = ? AND "partition" = ? AND "offset" = ?',
        topic, partition, offset,
    )  # fmt: skip
    places.drop(places.live_place(life), places.rebuilt_place(life))
    with pytest.raises(RebuildStopped) as stopped:
        rebuilt(life)
    message = str(stopped.value)
    assert f"lane {agent}/{partition}, step {sequence} ({topic}/{partition} offsets {offset} to" in message
    assert f"the raw log has no record at {offset}" in message


def test_a_rebuild_of_another_past_is_not_gone_on_with(life) -> None:
    folder = life.data_dir
    execute(folder / "summaries_rebuild.db", "UPDATE steps SET last_offset = last_offset + 1 WHERE agent = 'telemetry'")
    with pytest.raises(RebuildStopped, match="another past"):
        rebuilt(life)


def test_two_rebuilds_at_once_do_not_mix(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lived(settings, 12, 60)

    class Meddling(Watched):
        def step(self, step, records):
            super().step(step, records)
            if self.steps == 3:
                other = places.rebuilt_place(settings)
                other.summaries.acquire(self.lanes[-1], "another rebuild", "cluster-1", 4)
                other.close()

    with pytest.raises(RebuildStopped, match="another rebuild is at work"):
        rebuilt(settings, Meddling())
    rebuilt(settings)
    assert compared(settings).equal


def test_steps_that_the_live_database_no_longer_has_are_named(life) -> None:
    places.drop(places.live_place(life), places.rebuilt_place(life))
    execute(life.data_dir / "summaries.db", "DELETE FROM steps WHERE agent = 'metrics' AND sequence = 2")
    with pytest.raises(RebuildStopped, match=r"lane metrics/\d: the live database has no row of step 2"):
        rebuilt(life)
