"""The metrics agent with far more services than it may hold in memory, and behind a backlog: in virtual time."""

import asyncio
from collections.abc import Iterator

import msgspec

from tests.support.fakes.clock import run
from tests.support.fakes.notes import START
from tests.support.fakes.reader import Reader
from tests.support.fakes.services import services_of
from tests.support.fakes.world import PARTITIONS, World
from vigia import topics
from vigia.events.samples import Sample
from vigia.events.summaries import WindowSummary
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.models.windows.rolling import ROLL
from vigia.streaming.route import Route

CONFIG = MetricsConfig(window=60, lateness=5.0, idle_timeout=60.0)
IDLE = 200.0
"""Seconds after which every service has long fallen silent."""


def metrics_world(cache_entries: int, began: float = START) -> World:
    route = Route("metrics", (topics.METRICS,), MetricsModel(CONFIG), packed=True, emits=(topics.PROBLEMS,))
    return World(route=route, cache_entries=cache_entries, began=began)


def send(world: World, service: str, ts: float, at: float | None = None) -> None:
    sample = Sample(service=service, metric="latency", ts=ts, value=1.0)
    world.broker.append("metrics", msgspec.json.encode(sample), at=at or ts, key=service.encode())


def windows(world: World) -> Iterator[WindowSummary]:
    return (row for row in world.memory.summary_rows.values() if isinstance(row, WindowSummary))


async def read(world: World, *, seconds: float, sizes: tuple[int, ...]) -> int:
    """Read all lanes for so long; returns the most states that were held at any time."""
    lanes = world.lanes(world.process())
    reader = Reader(world, lanes, sizes)
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, sum(len(lane.state.cache) for lane in lanes._lanes.values()))
            await asyncio.sleep(0.01)

    watching = asyncio.ensure_future(watch())
    await reader.assign(range(PARTITIONS), 1)
    await reader.read_for(seconds)
    watching.cancel()
    return most


def test_with_a_cache_of_10_states_the_windows_of_1000_services_close_by_timers():
    world = metrics_world(cache_entries=10)
    services = [f"service-{number}" for number in range(1_000)]
    for service in services:
        send(world, service, START)
    held = run(read(world, seconds=IDLE, sizes=(50,)))
    assert 0 < held <= world.cache_entries
    # nobody sent anything after that one minute, so nothing but timers can have closed it
    assert sorted(row.count for row in windows(world)) == [1] * len(services)
    # that hours are made of windows waits for none of them
    assert {kind for timers in world.memory.timers.values() for kind, _ in timers} <= {ROLL}
    assert world.memory.lane_rows.keys() == {world.lane(number) for number in range(PARTITIONS)}


def test_with_100000_services_the_cache_keeps_its_bound():
    world = metrics_world(cache_entries=1_000)
    services = [f"service-{number}" for number in range(100_000)]
    # the first ones come again when the cache has long let go of them
    for service in services + services[:100]:
        send(world, service, START)
    held = run(read(world, seconds=1.0, sizes=(5_000,)))
    assert 0 < held <= world.cache_entries
    assert sum(len(states) for states in world.memory.states.values()) == len(services)
    applied = sum(row.counts["metrics.applied"] for row in world.memory.lane_rows.values())
    assert applied == len(services) + 100


def test_ticks_behind_a_backlog_close_nothing_early():
    # the worker was away for an hour; each service has a sample every 20 s of it, and one batch is a second's work
    away, pause, per_window = 3_600, 20, 3
    world = metrics_world(cache_entries=100, began=START + away)
    services = services_of(0, 2)
    for second in range(0, away, pause):
        for service in services:
            send(world, service, START - START % 60 + second)
    backlog = world.broker.end("metrics", 0)

    async def catch_up() -> None:
        lanes = world.lanes(world.process(delays={"commit": 1.5}))
        reader = Reader(world, lanes, (7,))
        await reader.assign([0], 1)
        while world.memory.lane_rows[world.lane(0)].offsets["metrics"] < backlog:
            await reader.read_once()
            # slower than a lane's patience: it is idle, and its timers have been due for most of an hour
            await asyncio.sleep(5.0)
        await reader.read_for(IDLE)

    run(catch_up())
    assert world.broker.logs["metrics", 0][backlog].value == b""
    assert [row.count for row in windows(world)] == [per_window] * (len(services) * away // 60)
    assert not any(row.late for row in windows(world))
