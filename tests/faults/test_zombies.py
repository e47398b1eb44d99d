"""A worker that is stopped between two effects of a step until another one has its lanes, and then goes on."""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checks import check_steps
from tests.support import Sender, counts, fresh_environment, opened_stores, read_topic, start_worker, wait_until, worker
from tests.support.bad_case import PARTITIONS, SCOPE, deployment, encoded
from vigia.stores.base import LaneId
from vigia.streaming.crash_points import Point
from vigia.streaming.partitions import partition_of

LANE = LaneId("deployments", partition_of(SCOPE.encode(), PARTITIONS))
SETTINGS: dict[str, Any] = {"VIGIA_KAFKA_SESSION_TIMEOUT": "6s", "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s"}
SENT = 5
ENDS = {0, 75}

LATE = {
    Point.TAKEN: SENT,  # it has still to keep the raw events, and to commit
    Point.RAW_APPENDED: SENT,
    Point.COMMITTED: SENT + 1,  # to publish, which the new owner does as well
    Point.PUBLISHED: SENT + 1,
}
"""By where a worker is stopped: how many outputs there are in the end, of SENT events. Never less, and all of one
event alike."""


def is_stopped(pid: int) -> bool:
    """Whether SIGSTOP has taken effect."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("point", LATE)
def test_what_a_zombie_still_does_after_the_new_owner_changes_nothing(stack, tmp_path, point):
    # the first step is that of the tick by which a worker learns Kafka's time; it publishes nothing
    times = 1 if point == Point.PUBLISHED else 2
    command = ("-m", "tests.faults.crashing_worker", point, str(times), "SIGSTOP")
    with fresh_environment(stack, tmp_path, **SETTINGS) as env, Sender(env) as sender:
        zombie = start_worker(env, command=command)
        try:
            zombie.wait_ready()
            wait_until(lambda: counts(env)["metrics.ticks"] == 1, 30, "the step of the tick")
            for number in range(SENT):
                event = deployment(time.time(), external_id=str(number), stage="planned")
                sender.send("deployments", encoded(event), key=SCOPE.encode())
                sender.flush()
                if number == 0:
                    wait_until(lambda: is_stopped(zombie.pid), 60, "the point of the step")
            with worker(env):
                wait_until(lambda: counts(env)["deployments.applied"] == SENT, 60, "the new owner's steps")
                wait_until(lambda: len(read_topic(env, "risk")) >= SENT, 30, "the new owner's outputs")
                zombie.process.send_signal(signal.SIGCONT)
                # its step goes on at once; by the time it has joined the group again and left, all of it has happened
                wait_until(lambda: not zombie.running or zombie.lanes(), 60, "the zombie's return to the group")
                # it conflicts and leaves; a bug's code would mean that something but the lane's version has held it up
                assert (zombie.stop() if zombie.running else zombie.process.returncode) in ENDS
            check(env, risks=LATE[point])
        finally:
            if zombie.running:
                zombie.process.send_signal(signal.SIGCONT)
                zombie.kill()


def check(env: Mapping[str, str], risks: int) -> None:
    with opened_stores(env) as stores:
        row = stores.summaries.read_lane(LANE)
        assert row is not None
        kept = list(stores.raw_log.read(row.cluster_id, "deployments", LANE.partition, 0))
        assert stores.summaries.outbox(LANE, 1) == []
    assert [record.offset for record in kept] == list(range(SENT))
    assert counts(env)["deployments.in"] == counts(env)["deployments_scored"] == SENT
    published = [record.value for record in read_topic(env, "risk")]
    assert len(published) == risks
    assert len(set(published)) == SENT
    check_steps(env)
