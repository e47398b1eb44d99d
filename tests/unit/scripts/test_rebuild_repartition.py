"""Partitions that were added to the topics of agents: everything goes on in its lanes, and is rebuilt equal."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.unit.scripts.rebuild_running import Watched, compared, execute, rebuilt
from tests.unit.scripts.rebuild_world import TOPICS_OF, World, settings_in
from vigia.events.summaries import WindowSummary
from vigia.models.windows.rolling import ROLL
from vigia.settings import Settings
from vigia.stores.base import LaneId
from vigia.stores.sql.summary_rows import select_rows, to_struct
from vigia.streaming.partitions import partition_of


def live_with_repartitions(settings: Settings, seed: int, records: int) -> None:
    """Let all agents work, with more partitions for each of them in between, for some of them twice."""
    world = World(settings, seed)
    asyncio.run(world.live(records))
    for agent, count in zip(TOPICS_OF, (6, 7, 8, 5), strict=True):
        world.repartition(agent, count)
    asyncio.run(world.live(records))
    world.repartition("deployments", 9)
    world.repartition("remediation", 6)
    asyncio.run(world.live(records))
    world.close()


@pytest.mark.parametrize("seed", range(2))
def test_random_events_before_between_and_after_are_rebuilt_equal(tmp_path: Path, seed: int) -> None:
    settings = settings_in(tmp_path)
    live_with_repartitions(settings, seed, 150)
    watch = rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    assert watch.steps == watch.planned == report.rows["steps"] + report.rows["interventions"]
    assert report.rows["interventions"] == 6 + 7 + 8 + 5 + 9 + 6
    assert execute(tmp_path / "summaries.db", "SELECT COUNT(*) FROM lanes") == [(9 + 7 + 8 + 6,)]
    assert rebuilt(settings).steps == 0


def test_a_killed_rebuild_goes_on_on_either_side_of_a_repartition(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    live_with_repartitions(settings, 5, 60)
    pieces = 0
    while True:
        try:
            rebuilt(settings, Watched(steps_left=9))
            break
        except KeyboardInterrupt:
            pieces += 1
    report = compared(settings)
    assert report.equal, report.differences
    assert pieces > 10


def test_lanes_that_a_rebuild_knows_are_repartitioned_when_it_goes_on(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings, 8)
    asyncio.run(world.live(60))
    rebuilt(settings)
    world.repartition("metrics", 6)
    rebuilt(settings)
    assert compared(settings).equal
    asyncio.run(world.live(60))
    world.close()
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences


def test_what_was_sent_before_counts_once_wherever_it_is_sent_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings)
    keys = [f"team-{number}".encode() for number in range(30)]
    events = [
        json.dumps(
            {
                "source": "ci",
                "external_id": "1",
                "service": "web",
                "scope": key.decode(),
                "stage": "planned",
                "at": world.clock,
            }
        ).encode()
        for key in keys
    ]
    for count in (6, 9, 10):
        for key, event in zip(keys, events, strict=True):
            world.append("deployments", event, key=key)
        asyncio.run(world.drain())
        moved = [key for key in keys if partition_of(key, count) != partition_of(key, world.counts["deployments"])]
        assert len(moved) > 5
        world.repartition("deployments", count)
    for key, event in zip(keys, events, strict=True):
        world.append("deployments", event, key=key)
    asyncio.run(world.drain())
    rows = [row for row in world.stores.summaries.lanes() if row.lane.agent == "deployments"]
    assert sum(row.counts.get("deployments.applied", 0) for row in rows) == 30
    assert sum(row.counts.get("deployments.duplicate", 0) for row in rows) == 3 * 30
    world.close()


def test_an_open_window_closes_in_the_lane_that_its_service_went_to(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    world = World(settings)
    names = [f"service-{number}" for number in range(20)]

    def send(at: float) -> None:
        for name in names:
            sample = {"service": name, "metric": "latency", "ts": at, "value": 1.0}
            world.append("metrics", json.dumps(sample).encode(), key=name.encode())
        asyncio.run(world.drain())

    began = world.clock
    send(began)
    world.repartition("metrics", 7)
    send(began + 10)
    world.clock += 1000
    for number in range(7):
        asyncio.run(world.tick("metrics", number))
    asyncio.run(world.drain())
    rows = [to_struct(WindowSummary, row) for row in world.stores.summaries.fetch(select_rows(WindowSummary))]
    assert [row.count for row in rows] == [2] * 20
    left = [(each, number) for number in range(7) for each in world.stores.summaries.timers(LaneId("metrics", number))]
    # the windows are closed; what rolls them up went to their lanes, too
    assert {each.kind for each, _ in left} == {ROLL}
    assert [partition_of(each.key.encode(), 7) for each, _ in left] == [number for _, number in left]
    world.close()
