"""`vigia run` starts a worker again that was killed, and the new one takes its lanes; embedded, without the stack."""

import os
import re
import signal
import subprocess
import sys

from tests.support.processes import without_settings
from tests.support.waiting import wait_until
from tests.support.workers import ROOT
from vigia.stores.errors import Transient, Unusable
from vigia.stores.sql.summaries import open_summaries


def owners(url):
    summaries = open_summaries(url, read_only=True)
    try:
        return {row.owner for row in summaries.lanes()}
    except (Transient, Unusable):
        return set()
    finally:
        summaries.close()


def pid_of(owner):
    found = re.search(r"-(\d+)-[0-9a-f]{8}$", owner)
    assert found, owner
    return int(found.group(1))


def test_a_worker_that_is_killed_is_started_again_and_goes_on(tmp_path):
    url = f"sqlite:///{tmp_path}/summaries.db"
    with (tmp_path / "out").open("wb") as out:
        run = subprocess.Popen(
            [sys.executable, "-m", "vigia", "run"],
            cwd=ROOT,
            env={**without_settings(), "VIGIA_DATA_DIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(lambda: len(owners(url)) == 1, 60, "a worker with lanes", pause=0.5)
        (first,) = owners(url)
        os.kill(pid_of(first), signal.SIGKILL)
        wait_until(lambda: owners(url) and first not in owners(url), 60, "its successor", pause=0.5)
        (second,) = owners(url)
        assert pid_of(second) != pid_of(first)
    finally:
        run.send_signal(signal.SIGINT)
        code = run.wait(60)
    said = (tmp_path / "out").read_text()
    assert code == 0, said
    assert "worker 1 ended: signal 9; starting it again in 1 s" in said
