"""What a worker needs before it starts: files that can be read, and stores and a broker that answer.

Each wait has the start budget, and what it says when it gives up names what did not answer and where. Passwords are
masked. Nothing here joins the consumer group, so a worker that cannot start disturbs nobody's lanes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from vigia.app import broker
from vigia.app.files import read_catalog, read_detectors, read_guard, read_policy
from vigia.app.opening import Stores, check_topics
from vigia.app.routes import ROUTES
from vigia.settings import KafkaSettings, Settings, SettingsError, masked_url, weaknesses
from vigia.stores.errors import NoSchema, Transient, Unusable
from vigia.streaming.failure import Retry
from vigia.streaming.metadata_refresh import keep_refreshing
from vigia.streaming.ownership import Cluster
from vigia.streaming.ports import Publisher
from vigia.streaming.topic_admin import BrokerUnreachable
from vigia.topics import METRICS

ATTEMPTS = 4
"""How often Kafka is asked at least within the budget: its client goes on asking by itself until its time is over."""

LONGEST_ATTEMPT = 5.0
"""Seconds in which a broker that is up has answered."""

MIGRATE = "`python -m vigia migrate`"

CASSANDRA_LOGGERS = ("cassandra.cluster", "cassandra.connection", "cassandra.pool", "cassandra.metadata")

T = TypeVar("T")
logger = logging.getLogger(__name__)


def check_files(settings: Settings) -> None:
    """Raise Unusable when the catalog, the detectors' limits, the policy or the rules of feedback cannot be used.

    Only the files that are looked for by default may be missing: one that a setting names is there, or misspelt.
    """
    defaults = Settings()
    for path, default, without in (
        (settings.catalog, defaults.catalog, "every service belongs to the team `unassigned`"),
        (settings.detectors, defaults.detectors, "the detectors have their default limits"),
        (settings.policy, defaults.policy, "the gates have their defaults"),
        (settings.feedback, defaults.feedback, "everybody who may write to the topics may label everything"),
    ):
        if path.exists():
            continue
        if path != default:
            raise Unusable(f"there is no file {path}, which the settings name")
        logger.warning("there is no file %s: %s", path, without)
    read_catalog(settings.catalog)
    read_detectors(settings.detectors)
    read_policy(settings.policy)
    try:
        read_guard(settings)
    except SettingsError as error:
        raise Unusable(str(error)) from error


async def wait_for_all(settings: Settings, stores: Stores) -> Cluster:
    """Wait for both stores and the broker, for at most the start budget each; weaknesses found are logged.

    Raises Transient when one stays away, and Unusable when one answers but cannot be used.
    """
    retry = Retry(settings.stream.start_budget)
    summaries, raw_log = stores.summaries, stores.raw_log
    place = f"the summaries' database {masked_url(settings.summaries.url)}"
    warnings = await _wait(retry, "the summaries' database", lambda: asyncio.to_thread(summaries.check), place)
    warnings += await _wait(retry, "the raw log", lambda: asyncio.to_thread(raw_log.check))
    within = min(LONGEST_ATTEMPT, settings.kafka.request_timeout, max(0.5, settings.stream.start_budget / ATTEMPTS))
    cluster = await _wait(retry, "Kafka", lambda: broker.identify(settings.kafka, within))
    if not cluster.ephemeral:
        warnings += await _wait(retry, "Kafka's topics", lambda: _check_topics(settings))
    warnings += [weakness.meaning for weakness in weaknesses(settings) if weakness.name.startswith("kafka")]
    for warning in warnings:
        logger.warning("durability: %s", warning)
    return cluster


async def _check_topics(settings: Settings) -> list[str]:
    """Return in what the topics differ from their rows; raises Unusable where going on would be wrong.

    A lane's clock is the Kafka time of its records, so on an input topic that must be the broker's, not the senders'.
    """
    try:
        drift = await asyncio.to_thread(check_topics, settings)
    except BrokerUnreachable as error:
        raise Transient(str(error)) from error
    inputs = {settings.kafka.physical(topic.name) for row in ROUTES for topic in row.reads}
    for one in drift:
        if one.setting == "topic":
            raise Unusable(f"there is no topic {one.topic}; the command is `python -m scripts.topics apply`")
        if one.setting == "message.timestamp.type" and one.topic in inputs:
            raise Unusable(
                f"topic {one.topic} has {one.setting} {one.found}, which lets senders move the clock of the stream; "
                "the command is `python -m scripts.topics apply --fix`"
            )
    return [f"topic {one.topic} has {one.setting} {one.found}, not {one.wanted}" for one in drift]


async def started_producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    """Return the producer for outputs, connected; raises Transient when no broker takes it."""
    producer = broker.producer(kafka)
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        raise Transient(f"no producer can be started at {kafka.bootstrap}: {error}") from error
    keep_refreshing(producer.client)
    return producer


async def learn_kafkas_time(publisher: Publisher, cluster: Cluster) -> None:
    """Send a tick, whose acknowledgement tells the publisher's clock what time it is on the broker.

    Without it a worker whose clock is behind would take no timer for due, and so would send nothing that tells it.
    Where the broker does not answer in time, this machine's clock must do until something is acknowledged. Raises
    Unusable.
    """
    if cluster.ephemeral:
        return  # its records have the senders' times: this machine's
    try:
        async with asyncio.timeout(LONGEST_ATTEMPT):
            await publisher.tick(METRICS.name, 0)
    except (Transient, TimeoutError) as error:
        logger.warning("Kafka's time is not known yet, and this machine's is taken: %r", error)


async def _wait(retry: Retry, what: str, operation: Callable[[], Awaitable[T]], place: str = "") -> T:
    """Run the operation until it succeeds; its errors name `place`, and the command that makes a schema."""

    async def named() -> T:
        try:
            return await operation()
        except (Transient, Unusable) as error:
            text = f"{place}: {error}" if place else str(error)
            command = f"; the command is {MIGRATE}" if isinstance(error, NoSchema) else ""
            raise type(error)(text + command) from error

    return await retry.run(f"wait for {what}", named)


class _OneLine(logging.Filter):
    """Puts an exception into its record's line, without the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            record.msg, record.args = f"{record.getMessage()} {type(error).__name__}: {error}", ()
            record.exc_info = record.exc_text = None
        return True


def shorten_driver_logs() -> None:
    """Let Cassandra's driver log its errors in a line each: they reach us as exceptions anyway, and are handled."""
    for name in CASSANDRA_LOGGERS:
        driver = logging.getLogger(name)
        if not any(isinstance(each, _OneLine) for each in driver.filters):
            driver.addFilter(_OneLine())
