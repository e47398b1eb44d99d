"""Records that retention deletes while a lane stands still: the worker says so instead of reading on behind them."""

import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.support import Sender, fresh_environment, opened_stores, wait_until, worker
from tests.support.bad_case import PARTITIONS, encoded, sample
from vigia.stores.base import LaneId, LaneRow
from vigia.streaming.partitions import partition_of

NEEDS_PERSON = 78
LANE = LaneId("metrics", partition_of(b"shop", PARTITIONS))
LOST = 5


def row_of(env: dict[str, str]) -> LaneRow:
    with opened_stores(env) as stores:
        row = stores.summaries.read_lane(LANE)
    assert row is not None
    return row


def test_what_expired_while_a_lane_was_stopped_ends_the_worker_with_its_place(stack, tmp_path):
    with fresh_environment(stack, tmp_path, VIGIA_STREAM_INVALID_RUN="10") as env, worker(env) as one:
        with Sender(env) as sender:
            for _ in range(20):
                sender.send("metrics", b"no sample", key=b"shop")
        wait_until(lambda: bool(row_of(env).stopped), 60, "the flood that stops the lane")
        stored = row_of(env).offsets["metrics"]
        with Sender(env) as sender:
            for _ in range(2 * LOST):
                sender.send("metrics", encoded(sample(time.time())), key=b"shop")
        topic = env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics"
        admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
        for future in admin.delete_records([TopicPartition(topic, LANE.partition, stored + LOST)]).values():
            future.result()
        assert one.running
        with opened_stores(env) as stores:
            assert stores.summaries.release(LANE)
        code = one.wait_ended(60)
        assert code == NEEDS_PERSON
        (line,) = [line for line in one.log.splitlines() if " CRITICAL " in line]
        assert f"topic {topic}, partition {LANE.partition}: offset {stored} was to be read next" in line
        assert f"now starts at {stored + LOST}: {LOST} offsets were deleted" in line
        assert row_of(env).offsets["metrics"] == stored
