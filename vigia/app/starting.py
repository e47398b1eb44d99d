"""What a worker needs before it starts: files that can be read, and stores and a broker that answer.

Each wait has the start budget, and what it says when it gives up names what did not answer and where. Passwords are
masked. Nothing here joins the consumer group, so a worker that cannot start disturbs nobody's lanes.
"""

import asyncio
import logging
import tomllib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from vigia.app import broker
from vigia.app.opening import Stores
from vigia.app.routes import read_catalog, read_detectors
from vigia.events.catalog import CatalogError
from vigia.models.detectors.config import DetectorConfigError
from vigia.settings import KafkaSettings, Settings, masked_url
from vigia.stores.errors import NoSchema, Transient, Unusable
from vigia.streaming.failure import Retry
from vigia.streaming.ownership import Cluster

ATTEMPTS = 4
"""How often Kafka is asked at least within the budget: its client goes on asking by itself until its time is over."""

LONGEST_ATTEMPT = 5.0
"""Seconds in which a broker that is up has answered."""

MIGRATE = "`python -m vigia migrate`"

CASSANDRA_LOGGERS = ("cassandra.cluster", "cassandra.connection", "cassandra.pool", "cassandra.metadata")

T = TypeVar("T")
logger = logging.getLogger(__name__)


def check_files(settings: Settings) -> None:
    """Raise Unusable when the catalog or the detectors' limits cannot be read."""
    try:
        read_catalog(settings.catalog)
        read_detectors(settings.detectors)
    except (CatalogError, DetectorConfigError) as error:
        raise Unusable(str(error)) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        files = f"{settings.catalog} or {settings.detectors}"
        raise Unusable(f"{files} cannot be read: {error}") from error


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
    for warning in warnings:
        logger.warning("durability: %s", warning)
    return cluster


async def started_producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    """Return the producer for outputs, connected; raises Transient when no broker takes it."""
    producer = broker.producer(kafka)
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        raise Transient(f"no producer can be started at {kafka.bootstrap}: {error}") from error
    return producer


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
