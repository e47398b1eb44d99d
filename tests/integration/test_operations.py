"""Two workers on the real stack tell of themselves: in the table of workers, in the status, and as metrics.

The clock of one is 400 s ahead, more than events may be.
"""

import json
import subprocess
import sys
import time
from typing import Any

from confluent_kafka import Producer

from tests.support.environment import fresh_environment, opened_stores
from tests.support.waiting import wait_until
from tests.support.workers import ROOT, worker
from vigia.app.own_metrics import FIGURES, SERVICE
from vigia.feeds.send import PRODUCER_SETTINGS
from vigia.stores.queries.run_figures import run_figures
from vigia.stores.queries.windows_of import windows_of

SENT = 2_000


def status(env, *arguments):
    command = [sys.executable, "-m", "scripts.status", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)


def lags(env):
    return [lane["lag"] for lane in json.loads(status(env, "--json").stdout)["lanes"]]


def send(env, count):
    producer = Producer({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], **PRODUCER_SETTINGS})
    for number in range(count):
        sample = {"service": f"s{number % 20}", "metric": "m", "ts": time.time(), "value": 1.0}
        key = str(sample["service"])
        producer.produce(env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics", json.dumps(sample), key=key)
    producer.flush(30)


def test_workers_tell_how_they_are_and_their_figures_become_windows(stack, tmp_path):
    options: dict[str, Any] = {
        "VIGIA_OPERATIONS_HEARTBEAT": "0.5",
        "VIGIA_OPERATIONS_OWN_METRICS": "true",
        "VIGIA_OPERATIONS_OWN_METRICS_EVERY": "1",
        "VIGIA_METRICS_WINDOW": "5",
        "VIGIA_METRICS_LATENESS": "1",
        "VIGIA_KAFKA_SESSION_TIMEOUT": "6",
        "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1",
    }
    with (
        fresh_environment(stack, tmp_path, **options) as env,
        opened_stores(env) as stores,
        worker(env) as first,
        worker(env, command=("-m", "tests.support.skewed_worker", "400")) as second,
    ):
        wait_until(lambda: len(stores.summaries.workers()) == 2, 30, "both signs of life")
        send(env, SENT)

        def all_windows():
            since = time.time() - 600
            return all(
                windows_of(stores.summaries, SERVICE, "production", figure.name, since, time.time()).windows
                for figure in FIGURES
            )

        wait_until(all_windows, 60, "windows of every figure", pause=1.0)
        wait_until(lambda: run_figures(stores.summaries)["metrics.applied"] > SENT, 30, "all samples, and our own")
        assert run_figures(stores.summaries)["metrics.invalid"] == 0
        wait_until(lambda: status(env).returncode == 0, 20, "a healthy status", pause=1.0)
        assert sorted(row.slot for row in stores.summaries.workers()) == [0, 1]
        assert "s ahead of Kafka's" in second.log
        shown = status(env).stdout
        assert shown.count("beating") == 2
        wait_until(lambda: lags(env).count(None) == 0, 20, "lags of all lanes", pause=1.0)
        (tmp_path / "healthy.txt").write_text(shown)
        second.kill()
        wait_until(lambda: "is late" in status(env).stdout, 20, "a late worker", pause=0.5)
        # its lanes go to the other one, and nobody need look any more
        wait_until(lambda: status(env).returncode == 0, 60, "a healthy status again", pause=1.0)
        assert "gone" in status(env).stdout
        assert first.stop() == 0
        assert [row.pid for row in stores.summaries.workers()] == [second.pid]
        assert status(env).returncode == 1
