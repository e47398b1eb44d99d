"""Three workers on four partitions under load; one is killed in the middle of a step, twice."""

import random
import signal
import time
from typing import Any

import pytest

from tests.faults.checks import check_everything
from tests.faults.load import DETECTORS, Load
from tests.support import Sender, WorkerProcess, fresh_environment, start_worker
from vigia.streaming.crash_points import Point

ROUND = 4_000
"""Messages that are sent at a time while a worker is on its way to its end."""

STRIKES = {
    1: (Point.RAW_APPENDED, Point.COMMITTED),
    2: (Point.COMPUTED, Point.PUBLISHED),
    3: (Point.TAKEN, Point.OUTBOX_DELETED),
    4: (Point.ACKNOWLEDGED, Point.RAW_APPENDED),
}
"""By seed: where the first and the second worker are killed."""

SETTINGS: dict[str, Any] = {
    "VIGIA_DETECTORS": str(DETECTORS),
    "VIGIA_KAFKA_SESSION_TIMEOUT": "6s",
    "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s",
    "VIGIA_KAFKA_MAX_POLL_RECORDS": "500",
    "VIGIA_METRICS_IDLE_TIMEOUT": "3s",
    # the load's event times lie hours back; its problems shall be acted on all the same
    "VIGIA_METRICS_STALE_AFTER": "1d",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", STRIKES)
def test_nothing_is_lost_or_doubled_when_workers_are_killed_in_mid_step(stack, tmp_path, seed):
    rnd = random.Random(seed)
    load = Load(seed, time.time())
    with fresh_environment(stack, tmp_path, **SETTINGS) as env, Sender(env) as sender:
        workers = [start_worker(env) for _ in range(2)]
        try:
            for point in STRIKES[seed]:
                victim = start_worker(
                    env, command=("-m", "tests.faults.crashing_worker", point, str(rnd.randint(2, 6)))
                )
                workers.append(victim)
                victim.wait_ready()
                _send_until_killed(load, sender, victim)
                workers.remove(victim)
            workers.append(start_worker(env))
            load.send(sender, ROUND)
            sender.flush()
            check_everything(env, load.expected)
            assert all(worker.running for worker in workers)
        finally:
            for worker in workers:
                if worker.running:
                    worker.stop()


def test_every_point_of_a_step_is_struck():
    assert {point for points in STRIKES.values() for point in points} == set(Point)


def _send_until_killed(load: Load, sender: Sender, victim: WorkerProcess) -> None:
    for _ in range(60):
        load.send(sender, ROUND)
        sender.flush()
        for _ in range(20):
            if not victim.running:
                assert victim.process.returncode == -signal.SIGKILL, victim.log[-4000:]
                return
            time.sleep(0.05)
    raise AssertionError(f"the worker never came to where it is killed:\n{victim.log[-4000:]}")
