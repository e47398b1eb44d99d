"""Three workers on four partitions under load, while workers, servers and connections are struck at random moments."""

import random
import sys
import time
from typing import Any

import pytest

from tests.faults.checks import check_everything
from tests.faults.crew import Crew
from tests.faults.load import DETECTORS, Load
from tests.faults.strikes import Strikes
from tests.support import Sender, fresh_environment

EXTRA = 4
"""Strikes beyond one of each kind."""

SESSION, CASSANDRA_TIMEOUT = 6, 2

ROUND = 100
"""Messages that are sent at a time."""

RETRY_BUDGETS = {1: "2m", 2: "4s", 3: "2m"}
"""By seed: with the short one a worker whose store is away ends with 75 and is started again."""

SETTINGS: dict[str, Any] = {
    "VIGIA_DETECTORS": str(DETECTORS),
    "VIGIA_KAFKA_SESSION_TIMEOUT": f"{SESSION}s",
    "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s",
    "VIGIA_KAFKA_MAX_POLL_RECORDS": "500",
    "VIGIA_RAW_LOG_REQUEST_TIMEOUT": f"{CASSANDRA_TIMEOUT}s",
    "VIGIA_METRICS_IDLE_TIMEOUT": "3s",
    # the load's event times lie hours back; its problems shall be acted on all the same
    "VIGIA_METRICS_STALE_AFTER": "1d",
}


@pytest.mark.timeout(420)
@pytest.mark.parametrize("seed", RETRY_BUDGETS)
def test_whatever_strikes_nothing_is_lost_or_doubled(own, tmp_path, seed):
    load, rnd, budget = Load(seed, time.time()), random.Random(seed), RETRY_BUDGETS[seed]
    with (
        fresh_environment(own.direct, tmp_path, **SETTINGS, VIGIA_STREAM_RETRY_BUDGET=budget) as env,
        Sender(env) as sender,
        Crew(own.through_proxies(env), size=3) as crew,
    ):
        for worker in crew.workers:
            worker.wait_ready()
        strikes = Strikes(rnd, EXTRA, own, crew, session=SESSION, timeout=CASSANDRA_TIMEOUT)
        began, cuts = time.monotonic(), own.proxies["mariadb"].cuts

        def say(what: str) -> None:
            sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {what}\n")

        say(f"seed {seed}")
        try:
            while not strikes.over:
                load.send(sender, ROUND)
                if name := strikes.go_on():
                    say(name)
                crew.check()
                time.sleep(0.05)
        finally:
            own.mend()
        load.send(sender, ROUND)
        sender.flush()
        say(f"mended; workers ended with {dict(crew.codes())}")
        check_everything(env, load.expected, within=180)
        say(f"checked; workers ended with {dict(crew.codes())}")
        assert own.proxies["mariadb"].cuts == cuts + strikes.commits_lost
