"""Three workers on four partitions under load; one is killed in the middle of a batch, twice."""

import random
import time
from typing import Any

import pytest

from tests.faults.checks import check_everything
from tests.faults.load import Load
from tests.support import Sender, counts, fresh_environment, start_worker, wait_until

ROUND = 15_000
"""Messages of load before, between and after the kills."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_or_doubled_when_workers_are_killed_in_mid_batch(stack, tmp_path, seed):
    rnd = random.Random(seed)
    settings: dict[str, Any] = {
        "VIGIA_KAFKA_SESSION_TIMEOUT": "6s",
        "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s",
        "VIGIA_KAFKA_MAX_POLL_RECORDS": "500",
        "VIGIA_METRICS_IDLE_TIMEOUT": "3s",
    }
    with fresh_environment(stack, tmp_path, **settings) as env, Sender(env) as sender:
        workers = [start_worker(env) for _ in range(3)]
        try:
            for worker in workers:
                worker.wait_ready()
            load = Load(seed, time.time())
            for _ in range(2):
                load.send(sender, ROUND)
                before = counts(env)["metrics.applied"]
                wait_until(lambda: counts(env)["metrics.applied"] > before, 60, "steps under way", pause=0.02)  # noqa: B023
                time.sleep(rnd.uniform(0, 0.3))
                victim = workers.pop(rnd.randrange(len(workers)))
                victim.kill()
                workers.append(start_worker(env))
            load.send(sender, ROUND)
            sender.flush()
            check_everything(env, load.expected)
            assert all(worker.running for worker in workers)
        finally:
            for worker in workers:
                if worker.running:
                    worker.stop()
