"""`scripts/dead_letters.py` on the real stack: a refused event is found, mended, sent again and applied."""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.support import Sender, counts, fresh_environment, opened_stores, read_topic, wait_until, worker
from tests.support.bad_case import encoded, sample
from tests.support.processes import without_settings
from vigia.streaming.partitions import partition_of

ROOT = Path(__file__).resolve().parents[2]


def script(env, *arguments):
    command = [sys.executable, "-m", "scripts.dead_letters", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=without_settings() | dict(env), capture_output=True, text=True, check=False
    )


def listed(env, *arguments):
    done = script(env, "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    # those of one batch have one time, and are then in the order of their ids
    return sorted(json.loads(done.stdout), key=lambda letter: letter["offset"])


def test_what_was_refused_is_mended_sent_again_and_applied(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env, worker(env), Sender(env) as sender:
        now = time.time()
        # too large for a letter: the rest must come from the raw log
        long = encoded(sample(now, note="x" * 100_000, metric=None))
        sender.send("metrics", long, key=b"shop")
        sender.send("metrics", b"[" + encoded(sample(now)) + b', {"service": "shop"}]', key=b"shop")
        sender.flush()
        wait_until(lambda: counts(env)["metrics.invalid"] == 2, 30, "the refusals")
        first, second = listed(env)
        assert (first["body_size"], second["position"]) == (len(long), 1)

        shown = script(env, "show", first["letter_id"], "--full")
        assert shown.returncode == 0, shown.stderr
        assert "x" * 100_000 in shown.stdout

        ids = [first["letter_id"], second["letter_id"]]
        assert script(env, "replay", *ids).returncode == 0
        assert len(listed(env)) == 2
        again = script(env, "replay", *ids, "--yes")
        assert (again.returncode, again.stderr) == (0, "")
        # nothing was mended, so both are refused again, as letters of their own
        wait_until(lambda: counts(env)["metrics.invalid"] == 4, 30, "the second refusals")
        assert [letter["letter_id"] for letter in listed(env, "--status", "replayed")] == ids
        values = [record.value for record in read_topic(env, "metrics") if record.headers]
        assert [value for value in values if value] == [long, b'{"service": "shop"}']

        (tmp_path / "mended.json").write_bytes(encoded(sample(now, metric="mended")))
        third, fourth = listed(env)
        mended = script(env, "replay", third["letter_id"], "--body", tmp_path / "mended.json", "--yes")
        assert mended.returncode == 0, mended.stderr
        wait_until(lambda: counts(env)["metrics.applied"] == 2, 30, "the mended sample")
        assert script(env, "accept", "--letters", fourth["letter_id"], "--yes").returncode == 0
        assert listed(env) == []


def test_a_lane_that_a_flood_stopped_goes_on_after_accept(stack, tmp_path):
    with fresh_environment(stack, tmp_path, VIGIA_STREAM_INVALID_RUN="20") as env, worker(env), Sender(env) as sender:
        lane = partition_of(b"shop", 4)
        for number in range(20):
            sender.send("metrics", b"junk %d" % number, key=b"shop")
        sender.flush()
        with opened_stores(env) as stores:
            (row,) = wait_until(lambda: [row for row in stores.summaries.lanes() if row.stopped], 30, "the stop")
        assert row.lane == ("metrics", lane)
        assert "20 invalid events in a row" in row.stopped
        sender.send("metrics", encoded(sample(time.time())), key=b"shop")
        sender.flush()

        dry = script(env, "accept", f"metrics/{lane}")
        assert (dry.returncode, "20 invalid events in a row" in dry.stdout) == (0, True)
        # longer than a lane waits between two looks at whether it was released
        time.sleep(2.5)
        assert counts(env)["metrics.applied"] == 0
        assert script(env, "accept", f"metrics/{lane}", "--yes").returncode == 0
        wait_until(lambda: counts(env)["metrics.applied"] == 1, 30, "the event after the release")
