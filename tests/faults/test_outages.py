"""Cassandra, MariaDB and Kafka are each away for a minute while two million samples wait: memory stays bounded."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.faults.backlog import Backlog
from tests.faults.checks import check_everything
from tests.faults.crew import Crew
from tests.faults.load import DETECTORS, Load
from tests.faults.memory import Memory
from tests.support import Sender, counts, fresh_environment, wait_until

AWAY = 60.0
"""Seconds that each is away."""

BACKLOG = 2_000_000
"""Samples: a million messages of one each, and 20,000 messages of 50."""

WELL_UNDER_WAY = 25_000
"""Samples after which all lanes work with full batches."""

MOST_MEMORY = 1024 * 1024 * 1024

SETTINGS: dict[str, Any] = {
    "VIGIA_DETECTORS": str(DETECTORS),
    # the load's event times lie hours back; its problems shall be acted on all the same
    "VIGIA_METRICS_STALE_AFTER": "1d",
    "VIGIA_METRICS_IDLE_TIMEOUT": "5s",
}


@pytest.mark.timeout(900)
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
        backlog.send(4 * WELL_UNDER_WAY)
        # counted from the first sample: a quick crew applies most of them while they are sent
        until_under_way(env, since=0)
        applied = 0
        try:
            for name in ("cassandra", "mariadb"):
                gone = time.monotonic()
                own.servers[name].kill()
                say(f"{name} goes; workers have {memory}")
                backlog.send(BACKLOG // 2)
                load.send(sender, 1_000)
                sender.flush()
                say(f"{load.expected.samples} samples were sent, workers have {memory}")
                time.sleep(max(0.0, gone + AWAY - time.monotonic()))
                own.mend()
                applied = until_under_way(env, since=counts(env)["metrics.applied"])
            assert load.expected.samples - applied > BACKLOG * 0.75
            own.servers["kafka"].kill()
            say(f"kafka goes; {applied} samples were applied, workers have {memory}")
            time.sleep(AWAY)
        finally:
            own.mend()
        load.send(sender, 1_000)
        sender.flush()
        say(f"all are back; {counts(env)['metrics.applied']} samples were applied, workers have {memory}")
        check_everything(env, load.expected, within=180)
        say(f"checked; workers have {memory}, and ended with {dict(crew.codes())}")
        assert max(memory.peaks) < MOST_MEMORY
        # an outage that outlasts the retry budget, as it can on a slow machine, ends a worker, which is started again
        assert crew.codes().keys() <= {75}


def until_under_way(env: Mapping[str, str], since: int) -> int:
    """Wait for samples beyond the first `since`, so that what fails now meets full buffers; return the count."""
    wait_until(lambda: counts(env)["metrics.applied"] > since + WELL_UNDER_WAY, 120, "more samples")
    return counts(env)["metrics.applied"]
