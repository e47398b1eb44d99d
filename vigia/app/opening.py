"""Opens what the settings name: the stores, and the topics on the broker."""

from dataclasses import dataclass

from vigia import topics
from vigia.settings import Settings
from vigia.stores.base import RawLog
from vigia.stores.raw import open_raw_log
from vigia.stores.sql.summaries import SqlSummaries, open_summaries
from vigia.streaming.topic_admin import Drift, TopicPolicy
from vigia.streaming.topic_admin import ensure_topics as ensure


@dataclass(frozen=True)
class Stores:
    """Both stores, opened; they connect at their first call."""

    raw_log: RawLog
    summaries: SqlSummaries

    def close(self) -> None:
        """Give all connections back."""
        self.raw_log.close()
        self.summaries.close()


def open_stores(settings: Settings) -> Stores:
    """Return the stores that the settings name. Raises stores.errors.Unusable for URLs of no known kind."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    raw, summaries = settings.raw_log, settings.summaries
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


def migrate(settings: Settings) -> None:
    """Bring both stores' schemas to the newest version; harmless when they are."""
    stores = open_stores(settings)
    try:
        stores.raw_log.migrate()
        stores.summaries.migrate()
    finally:
        stores.close()


def ensure_topics(settings: Settings) -> list[Drift]:
    """Create the topics that are missing; returns them, and where others differ from their rows.

    Raises BrokerUnreachable.
    """
    kafka = settings.kafka
    policy = TopicPolicy(
        kafka.replication_factor, kafka.min_insync_replicas, kafka.compression, prefix=kafka.topic_prefix
    )
    return ensure(kafka.confluent_config(), topics.TOPICS, policy, timeout=kafka.request_timeout)
