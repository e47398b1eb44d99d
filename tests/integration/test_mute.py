"""`vigia mute` on the real stack: a worker takes what it sends, and the list has what was taken and not lifted."""

import json
import subprocess
import sys

import pytest

from tests.support import fresh_environment, opened_stores, wait_until, worker
from tests.support.repositories import clean_environment
from vigia.stores.queries.mutes_of import mutes_of

NOW = 1_700_000_000.0
WHO = ("--by", "maria", "--reason", "the database is moved", "--json")


@pytest.fixture
def env(stack, tmp_path):
    with fresh_environment(stack, tmp_path / "data") as made, worker(made):
        yield made


def mute(env, *words):
    done = subprocess.run(
        [sys.executable, "-m", "vigia", "mute", *words],
        env={**clean_environment(), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_service_is_muted_and_the_mute_lifted(env):
    name = mute(env, "checkout", "--for", "2h", *WHO)["mute_id"]
    mute(env, "checkout", "--for", "15d", "--id", "too-long", *WHO)
    with opened_stores(env) as stores:
        wait_until(lambda: mutes_of(stores.summaries, "checkout", NOW, limit=9), 60)
    (listed,) = mute(env, "checkout", "--json")["mutes"]
    assert (listed["mute_id"], listed["by"], listed["reason"]) == (name, "maria", "the database is moved")
    mute(env, "checkout", "--lift", name, *WHO)
    wait_until(lambda: not mute(env, "checkout", "--json")["mutes"], 60)
