"""Cassandra, MariaDB and Kafka are each away for a minute while two million samples wait: memory stays bounded."""

import sys
import time
from typing import Any

import pytest

from tests.faults.backlog import Backlog
from tests.faults.checks import check_everything
from tests.faults.crew import Crew
from tests.faults.load import Load
from tests.faults.memory import Memory
from tests.support import Sender, counts, fresh_environment, wait_until

AWAY = 60.0
"""Seconds that each is away."""

BACKLOG = 2_000_000
"""Samples: a million messages of one each, and 20,000 messages of 50."""

MOST_MEMORY = 1024 * 1024 * 1024

SETTINGS: dict[str, Any] = {
    # the load's event times lie hours back; its problems shall be acted on all the same
    "VIGIA_METRICS_STALE_AFTER": "1d",
    "VIGIA_METRICS_IDLE_TIMEOUT": "5s",
}


@pytest.mark.timeout(540)
def test_a_minute_without_each_store_and_two_million_samples_waiting(own, tmp_path):
    began = time.monotonic()
    load = Load(1, time.time())

    def say(what: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {what}\n")

    with (
        fresh_environment(own.direct, tmp_path, **SETTINGS) as env,
        Sender(env) as sender,
        Crew(env, size=3) as crew,
        Memory(crew) as memory,
    ):
        backlog = Backlog(1, env, time.time() - 3 * 3600, load.expected)
        for worker in crew.workers:
            worker.wait_ready()
        load.send(sender, 4_000)
        backlog.send(100_000)
        wait_until(lambda: counts(env)["metrics.applied"] > 50_000, 60, "the first samples")
        say(f"workers idle along at {memory}")
        try:
            for name in ("cassandra", "mariadb"):
                own.servers[name].kill()
                gone = time.monotonic()
                own.mend(leave=name)
                say(f"{name} is away")
                backlog.send(BACKLOG // 2)
                load.send(sender, 1_000)
                sender.flush()
                say(f"{load.expected.samples} samples were sent, memory {memory}")
                time.sleep(max(0.0, gone + AWAY - time.monotonic()))
            own.mend()
            applied = counts(env)["metrics.applied"]
            say(f"{applied} samples were applied, memory {memory}")
            assert load.expected.samples - applied > BACKLOG * 0.75
            own.servers["kafka"].kill()
            say("kafka is away")
            time.sleep(AWAY)
        finally:
            own.mend()
        load.send(sender, 1_000)
        sender.flush()
        say(f"all are back; {counts(env)['metrics.applied']} samples were applied, memory {memory}")
        check_everything(env, load.expected, within=180)
        say(f"checked; memory {memory}; workers ended with {dict(crew.codes())}")
        assert max(memory.peaks) < MOST_MEMORY
        assert not crew.codes()
