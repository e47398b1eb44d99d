"""Opens what the settings name: the stores, and the topics on the broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vigia import topics
from vigia.settings import KafkaSettings, Settings
from vigia.stores.base import RawLog
from vigia.stores.errors import Unusable
from vigia.stores.raw import open_raw_log
from vigia.stores.sql.summaries import SqlSummaries, open_summaries
from vigia.streaming import topic_admin
from vigia.streaming.topic_admin import Drift, TopicPolicy

FILES = "sqlite"
"""How the URL of a store begins that is a file on this machine."""


@dataclass(frozen=True)
class Stores:
    """Both stores, opened; they connect at their first call."""

    raw_log: RawLog
    summaries: SqlSummaries

    def close(self) -> None:
        """Give all connections back."""
        self.raw_log.close()
        self.summaries.close()


def make_private(folder: Path) -> None:
    """Make the folder, for this user alone, where it is missing: raw events are nobody else's to read.

    Raises stores.errors.Unusable.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(f"the data folder {folder} cannot be made ({error}); VIGIA_DATA_DIR names another") from error


def open_stores(settings: Settings) -> Stores:
    """Return the stores that the settings name; `data_dir` is made when one of them is a file.

    Raises stores.errors.Unusable for URLs of no known kind, and when the folder cannot be made.
    """
    raw, summaries = settings.raw_log, settings.summaries
    if any(url.startswith(FILES) for url in (raw.url, summaries.url)):
        make_private(settings.data_dir)
    return Stores(
        open_raw_log(
            raw.url,
            username=raw.username,
            password=raw.password.reveal(),
            tls=raw.tls,
            tls_ca=raw.cafile,
            datacenter=raw.datacenter,
            replication_factor=raw.replication_factor,
            consistency=raw.consistency,
            request_timeout=raw.request_timeout,
        ),
        open_summaries(
            summaries.url,
            password=summaries.password.reveal() or None,
            tls=summaries.tls,
            tls_ca=summaries.cafile,
            connections=summaries.pool_size,
            statement_timeout=summaries.statement_timeout,
        ),
    )


@contextmanager
def opened_summaries(settings: Settings, *, read_only: bool) -> Iterator[SqlSummaries]:
    """Give the summaries' database as commands for people open it, with one connection.

    With `read_only`, a SQLite file is neither made nor changed. Raises as the store does.
    """
    summaries = settings.summaries
    opened = open_summaries(
        summaries.url,
        password=summaries.password.reveal() or None,
        tls=summaries.tls,
        tls_ca=summaries.cafile,
        connections=1,
        statement_timeout=summaries.statement_timeout,
        read_only=read_only,
    )
    try:
        yield opened
    finally:
        opened.close()


def migrate(settings: Settings) -> None:
    """Bring both stores' schemas to the newest version; harmless when they are."""
    stores = open_stores(settings)
    try:
        stores.raw_log.migrate()
        stores.summaries.migrate()
    finally:
        stores.close()


def ensure_topics(settings: Settings) -> list[Drift]:
    """Create the topics that are missing; returns where the others differ from their rows. Raises BrokerUnreachable."""
    kafka = settings.kafka
    return topic_admin.ensure_topics(
        kafka.confluent_config(), topics.TOPICS, _policy(kafka), timeout=kafka.request_timeout
    )


def check_topics(settings: Settings) -> list[Drift]:
    """Return where the topics differ from their rows, missing ones among them. Raises BrokerUnreachable."""
    kafka = settings.kafka
    return topic_admin.check_topics(
        kafka.confluent_config(), topics.TOPICS, _policy(kafka), timeout=kafka.request_timeout
    )


def _policy(kafka: KafkaSettings) -> TopicPolicy:
    return TopicPolicy(
        kafka.replication_factor, kafka.min_insync_replicas, kafka.compression, prefix=kafka.topic_prefix
    )
