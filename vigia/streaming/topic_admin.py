"""Topics on a broker: creates those that are missing, and finds where the others differ from their rows.

Partition counts and replicas are never changed here: the first would send keys to other lanes, the second moves data.
More partitions than a row says are no difference where all topics of an agent have them: somebody has added them.
The embedded broker cannot create or describe topics; do not call this for it.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports them without saying so
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from vigia.events.topic import DAY, Topic

MAX_MESSAGE_BYTES = 1024 * 1024
"""Largest record (compressed batch) a topic takes, in bytes."""

AGENT = "-agent"
"""How the names of readers end that run inside the worker."""

LONGEST_SEGMENT = 7 * DAY
HOUR = 3600

_UNREACHABLE = {
    KafkaError._TRANSPORT,  # noqa: SLF001 - librdkafka's own errors are public constants under private names
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.BROKER_NOT_AVAILABLE,
}


class BrokerUnreachable(Exception):
    """No broker answered in time, or none let us in; the message says which was asked and what it said."""


@dataclass(frozen=True)
class TopicPolicy:
    """What is the same for all topics of an installation."""

    replication_factor: int
    min_insync_replicas: int
    compression: str = "producer"
    prefix: str = ""


@dataclass(frozen=True)
class Drift:
    """One thing in which a topic on the broker differs, or differed, from its row.

    `topic` is the name on the broker. `outcome` says what was done about it; `refused` means that the broker did not
    let us, for the reason in `detail`.
    """

    topic: str
    setting: str
    wanted: str
    found: str
    outcome: Literal["open", "created", "fixed", "refused"] = "open"
    detail: str = ""

    @property
    def settled(self) -> bool:
        """Whether the topic is now as its row says."""
        return self.outcome in {"created", "fixed"}


def ensure_topics(
    connection: Mapping[str, str | int | float | bool],
    topics: Sequence[Topic],
    policy: TopicPolicy,
    *,
    fix: bool = False,
    timeout: float = 30.0,
) -> list[Drift]:
    """Create the topics that are missing and return all drift; with `fix`, set what can be set on topics that exist.

    Returns when every created topic has leaders, so that a worker started now finds all of them. `timeout` (seconds)
    is for each request. Raises BrokerUnreachable.
    """
    with _Admin(connection, timeout) as admin:
        found = admin.metadata()
        wanted = {
            policy.prefix + topic.name: replace(topic, partitions=_wanted(topic, topics, found, policy))
            for topic in topics
        }
        done = admin.create(_missing(found, topics, policy), wanted, policy)
        created = {drift.topic for drift in done if drift.outcome == "created"}
        admin.wait_for_leaders(created)
        drift = _differences(admin, topics, policy)
        return done + (admin.fix(drift) if fix else drift)


def check_topics(
    connection: Mapping[str, str | int | float | bool],
    topics: Sequence[Topic],
    policy: TopicPolicy,
    *,
    timeout: float = 30.0,
) -> list[Drift]:
    """Return all drift and change nothing. Raises BrokerUnreachable."""
    with _Admin(connection, timeout) as admin:
        return _missing(admin.metadata(), topics, policy) + _differences(admin, topics, policy)


def topic_config(topic: Topic, policy: TopicPolicy) -> dict[str, str]:
    """Return the configuration of a topic on the broker, all values as the broker writes them."""
    config = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "compression.type": policy.compression,
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "message.timestamp.type": topic.timestamps,
        "min.insync.replicas": str(policy.min_insync_replicas),
        "retention.ms": str(topic.retention * 1000 if topic.retention >= 0 else -1),
    }
    if topic.retention >= 0:
        # only whole segments are deleted, so retention is kept to within a segment
        config["segment.ms"] = str(1000 * max(HOUR, min(LONGEST_SEGMENT, topic.retention // 4)))
    return config


class _Admin:
    """An admin client that turns librdkafka's errors into ours and keeps its log lines off the terminal."""

    def __init__(self, connection: Mapping[str, str | int | float | bool], timeout: float) -> None:
        self._brokers = str(connection["bootstrap.servers"])
        self._timeout = timeout
        self._said = ""
        config: dict[str, Any] = {**connection, "log_level": 0, "error_cb": self._note}
        self._client = AdminClient(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # the client ends its threads when it is collected
        del self._client

    def metadata(self) -> ClusterMetadata:
        try:
            return self._client.list_topics(timeout=self._timeout)
        except KafkaException as error:
            self._client.poll(0)
            raise self._unreachable(error) from error

    def create(self, missing: list[Drift], rows: Mapping[str, Topic], policy: TopicPolicy) -> list[Drift]:
        if not missing:
            return []
        wanted = [
            NewTopic(
                drift.topic,
                num_partitions=rows[drift.topic].partitions,
                replication_factor=policy.replication_factor,
                config=topic_config(rows[drift.topic], policy),
            )
            for drift in missing
        ]
        futures = self._client.create_topics(wanted, request_timeout=self._timeout)
        return [self._settle(drift, futures[drift.topic], "created") for drift in missing]

    def wait_for_leaders(self, names: set[str]) -> None:
        deadline = time.monotonic() + self._timeout
        while not _all_led(self.metadata(), names):
            if time.monotonic() > deadline:
                raise BrokerUnreachable(f"topics were created but have no leaders after {self._timeout:g} s")
            time.sleep(0.1)

    def configs(self, names: Iterable[str]) -> dict[str, dict[str, ConfigEntry]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        if not resources:
            return {}
        futures = self._client.describe_configs(resources, request_timeout=self._timeout)
        return {resource.name: self._result(future) for resource, future in futures.items()}

    def fix(self, drift: list[Drift]) -> list[Drift]:
        done: list[Drift] = []
        for name in dict.fromkeys(each.topic for each in drift):
            of_topic = [each for each in drift if each.topic == name]
            settable = [each for each in of_topic if "." in each.setting]
            done += [each for each in of_topic if each not in settable]
            if settable:
                done += self._set(name, settable)
        self._wait_for_configs([each for each in done if each.outcome == "fixed"])
        return done

    def _wait_for_configs(self, fixed: list[Drift]) -> None:
        # the controller acknowledges a change before the brokers show it
        deadline = time.monotonic() + self._timeout
        while True:
            shown = self.configs({each.topic for each in fixed})
            late = [each for each in fixed if shown[each.topic][each.setting].value != each.wanted]
            if not late:
                return
            if time.monotonic() > deadline:
                raise BrokerUnreachable(f"{late[0].topic}: the brokers do not show {late[0].setting} as it was set")
            time.sleep(0.1)

    def _set(self, name: str, drift: list[Drift]) -> list[Drift]:
        entries = [
            ConfigEntry(each.setting, each.wanted, incremental_operation=AlterConfigOpType.SET) for each in drift
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        future = self._client.incremental_alter_configs([resource], request_timeout=self._timeout)[resource]
        return [self._settle(each, future, "fixed") for each in drift]

    def _settle(self, drift: Drift, future: "Future[Any]", outcome: Literal["created", "fixed"]) -> Drift:
        try:
            future.result()
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                # another worker that starts at the same time was first
                return replace(drift, outcome=outcome)
            if cause.code() in _UNREACHABLE:
                raise self._unreachable(error) from error
            return replace(drift, outcome="refused", detail=cause.str())
        return replace(drift, outcome=outcome)

    def _result(self, future: "Future[Any]") -> Any:
        try:
            return future.result()
        except KafkaException as error:
            raise self._unreachable(error) from error

    def _note(self, error: KafkaError) -> None:
        # the first error is the specific one; that all brokers are down is its consequence
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - a public constant under a private name
            self._said = self._said or error.str()

    def _unreachable(self, error: KafkaException) -> BrokerUnreachable:
        said = self._said or error.args[0].str()
        return BrokerUnreachable(f"Kafka at {self._brokers} did not answer within {self._timeout:g} s: {said}")


def _missing(metadata: ClusterMetadata, topics: Sequence[Topic], policy: TopicPolicy) -> list[Drift]:
    names = [policy.prefix + topic.name for topic in topics]
    return [Drift(name, "topic", "exists", "missing") for name in names if name not in metadata.topics]


def _wanted(topic: Topic, topics: Sequence[Topic], metadata: ClusterMetadata, policy: TopicPolicy) -> int:
    """Return how many partitions a topic should have: those of its row, or more if it was given more since.

    Topics that one agent reads must have equal numbers, so the one of them that has most decides.
    """
    agents = {reader for reader in topic.read_by if reader.endswith(AGENT)}
    beside = [each for each in topics if agents & set(each.read_by)] or [topic]
    found = (metadata.topics.get(policy.prefix + each.name) for each in beside)
    return max([topic.partitions, *(len(each.partitions) for each in found if each is not None)])


def _differences(admin: _Admin, topics: Sequence[Topic], policy: TopicPolicy) -> list[Drift]:
    metadata = admin.metadata()
    found = metadata.topics
    present = {policy.prefix + topic.name: topic for topic in topics if policy.prefix + topic.name in found}
    configs = admin.configs(present)
    drift: list[Drift] = []
    for name, topic in present.items():
        partitions = found[name].partitions
        pairs = [("partitions", str(_wanted(topic, topics, metadata, policy)), str(len(partitions)))]
        replicas = sorted({len(partition.replicas) for partition in partitions.values()})
        pairs.append(("replication", str(policy.replication_factor), ", ".join(map(str, replicas))))
        for setting, wanted in topic_config(topic, policy).items():
            entry = configs[name].get(setting)
            pairs.append((setting, wanted, str(entry.value) if entry is not None else "unknown"))
        drift += [Drift(name, setting, wanted, is_now) for setting, wanted, is_now in pairs if wanted != is_now]
    return drift


def _all_led(metadata: ClusterMetadata, names: set[str]) -> bool:
    return all(
        name in metadata.topics
        and metadata.topics[name].partitions
        and all(partition.leader >= 0 for partition in metadata.topics[name].partitions.values())
        for name in names
    )
