"""What tests on the real stack share: an environment of their own, worker processes, records in and out, waiting.

Example:
    with fresh_environment(stack, tmp_path) as env, worker(env) as one, Sender(env) as sender:
        sender.send("metrics", b"...", key=b"shop")
        wait_until(lambda: counts(env)["metrics.applied"] == 1, 30)
"""

from tests.support.environment import counts, fresh_environment, opened_stores
from tests.support.records import Received, Sender, Sent, read_topic, topic_records
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess, start_worker, worker

__all__ = [
    "Received",
    "Sender",
    "Sent",
    "WorkerProcess",
    "counts",
    "fresh_environment",
    "opened_stores",
    "read_topic",
    "start_worker",
    "topic_records",
    "wait_until",
    "worker",
]
