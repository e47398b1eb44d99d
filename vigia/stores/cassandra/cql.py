"""Every statement of the raw log, prepared when first used. `{}` stands for the keyspace.

The keyspace is written out because `USE` and prepared statements do not go together: which table is meant would depend
on the connection.
"""

# ruff: noqa: S608 - put together from constants

_PLACE = "cluster_id = ? AND topic = ? AND partition = ?"
# a driver cannot read every Kafka time (the sender sets it) as a date, so it is fetched as its eight bytes
_RECORD = "topic, partition, offset, timestampAsBlob(kafka_time), key, headers, body, raw"

ADD_EVENT = (
    "INSERT INTO {}.raw_events (cluster_id, topic, partition, bucket, offset, position, kafka_time, key, headers, "
    "service, event_time, event_id, body, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_EVENT_TO_SERVICE = (
    "INSERT INTO {}.raw_events_by_service (service, day, event_time, cluster_id, topic, partition, offset, position, "
    "event_id, occurred_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_BATCH = (
    "INSERT INTO {}.raw_batches (cluster_id, topic, partition, bucket, first_offset, last_offset, count, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_BLOCK_TO_SERVICE = (
    "INSERT INTO {}.raw_batches_by_service (service, day, hour, cluster_id, topic, partition, block) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
ADD_BUCKET = "INSERT INTO {}.raw_log_buckets (cluster_id, topic, partition, layout, bucket) VALUES (?, ?, ?, ?, ?)"
ADD_DAY = "INSERT INTO {}.raw_service_days (service, day) VALUES (?, ?)"

BUCKETS = f"SELECT bucket FROM {{}}.raw_log_buckets WHERE {_PLACE} AND layout = ? AND bucket >= ? AND bucket <= ?"
EVENTS = (
    f"SELECT position, {_RECORD} FROM {{}}.raw_events WHERE {_PLACE} AND bucket = ? AND offset >= ? AND offset <= ?"
)
EVENT = f"SELECT {_RECORD} FROM {{}}.raw_events WHERE {_PLACE} AND bucket = ? AND offset = ? AND position = 0"
BATCH_ENDS = (
    f"SELECT first_offset, last_offset FROM {{}}.raw_batches WHERE {_PLACE} AND bucket = ? "
    "AND first_offset >= ? AND first_offset < ?"
)
BATCHES = (
    f"SELECT first_offset, last_offset, count, body FROM {{}}.raw_batches WHERE {_PLACE} AND bucket = ? "
    "AND first_offset >= ? AND first_offset <= ?"
)
DAYS = "SELECT day FROM {}.raw_service_days WHERE service = ? AND day >= ? AND day <= ?"
EVENTS_OF_SERVICE = (
    "SELECT occurred_at, cluster_id, topic, partition, offset FROM {}.raw_events_by_service "
    "WHERE service = ? AND day = ? AND event_time >= ? AND event_time <= ?"
)
BLOCKS_OF_SERVICE = (
    "SELECT cluster_id, topic, partition, block FROM {}.raw_batches_by_service "
    "WHERE service = ? AND day = ? AND hour >= ? AND hour <= ?"
)
