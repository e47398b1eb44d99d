"""The rebuild on the real stack: what workers made of records from Kafka is made again from Cassandra's."""

import random
import time
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from scripts.rebuilding import places
from scripts.rebuilding.errors import TryAgain
from scripts.rebuilding.swapping import swap
from tests.support import Sender, fresh_environment, opened_stores, start_worker, wait_until, worker
from tests.support.rebuilding import opened
from tests.unit.scripts.rebuild_feed import Feed
from tests.unit.scripts.rebuild_running import Watched
from vigia.app.routes import ROUTES
from vigia.stores.base import LaneId

SETTINGS: dict[str, Any] = {
    "VIGIA_KAFKA_SESSION_TIMEOUT": "6s",
    "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s",
    "VIGIA_KAFKA_MAX_POLL_RECORDS": "50",
    "VIGIA_STREAM_INVALID_MINIMUM": "1000000",
    "VIGIA_METRICS_IDLE_TIMEOUT": "2s",
    "VIGIA_METRICS_RETENTION": "900",
}


def send(env: Mapping[str, str], feed: Feed, records: int) -> None:
    """Send random events for all agents."""
    with Sender(env) as sender:
        for _ in range(records):
            topic, key, value = feed.draw(time.time())
            sender.send(topic, value, key=key, partition=None if key else 0)


def wait_until_all_is_applied(env: Mapping[str, str]) -> None:
    """Wait until lanes stand at the ends of their topics, and what they have sent on is applied too."""
    prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
    consumer = Consumer(
        {"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "group.id": f"{prefix}ends", "log_level": 0}
    )

    def behind() -> list[str]:
        with opened_stores(env) as stores:
            rows = {row.lane: row for row in stores.summaries.lanes()}
            waiting = [str(lane) for lane in rows if stores.summaries.outbox(lane, 1)]
        for route in ROUTES:
            for topic in route.reads:
                for number in range(topic.partitions):
                    _, end = consumer.get_watermark_offsets(TopicPartition(prefix + topic.name, number), timeout=10)
                    row = rows.get(LaneId(route.name, number))
                    applied = row.offsets.get(topic.name, 0) if row else 0
                    if applied < end:
                        waiting.append(f"{topic.name}/{number} {applied} of {end}")
        return waiting

    try:
        wait_until(lambda: not behind(), 120, "all records applied", pause=0.5)
    finally:
        consumer.close()


def test_what_workers_made_is_rebuilt_to_the_last_bit_and_swapped_in(stack, tmp_path):
    feed = Feed(random.Random(7))
    with fresh_environment(stack, tmp_path, **SETTINGS) as env, opened(env) as at:
        victim, survivor = start_worker(env), start_worker(env)
        try:
            victim.wait_ready()
            survivor.wait_ready()
            send(env, feed, 1500)
            victim.kill()
            send(env, feed, 500)
            wait_until_all_is_applied(env)

            with pytest.raises(KeyboardInterrupt):
                at.rebuild(Watched(steps_left=20))
            at.rebuild()
            # refused because a worker is running, or because it has taken a step since
            with pytest.raises(TryAgain, match=r"the live database is in use; stop the workers|`run` first"):
                swap(at.live, at.rebuilt, print, watch=0.1, dry=False)
        finally:
            for process in (victim, survivor):
                if process.running:
                    process.stop()

        watch = at.rebuild()
        report = at.compare()
        assert report.equal, report.differences
        assert report.rows["windows"] > 50
        assert report.rows["deployments"] > 10
        assert watch.steps < report.rows["steps"]

        with at.live.database.reading() as connection:
            connection.exec_driver_sql("UPDATE windows SET count = count + 1 LIMIT 1")
        assert dict(at.compare().found) == {"windows": 1}
        before = {row.lane: row for row in at.live.summaries.lanes()}
        kept = swap(at.live, at.rebuilt, print, watch=0.1, dry=False)
        assert kept.startswith(f"{at.live.name}_old_2")
        after = {row.lane: row for row in at.live.summaries.lanes()}
        assert all(after[lane].version > row.version and after[lane].step == row.step for lane, row in before.items())
        assert not places.exists(at.live, at.rebuilt)

        with worker(env):
            send(env, feed, 300)
            wait_until_all_is_applied(env)
        at.rebuild()
        report = at.compare()
        assert report.equal, report.differences
        assert sum(row.step for row in at.live.summaries.lanes()) > sum(row.step for row in before.values())
