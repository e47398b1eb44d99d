"""What the run asks of a broker: an embedded one of its own, its topics, its cluster id and its end offsets."""

import select
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException, Producer

from vigia.app.log_ends import LogEnds
from vigia.cli.exits import BUG, TRANSIENT, RunFailed
from vigia.cli.run.children import KILL_SECONDS, STOP_SECONDS, Child, last_lines, rotate
from vigia.stores.errors import Transient

START_SECONDS = 30.0
ANSWER_SECONDS = 10.0

Partition = tuple[str, int]


class BrokerDown(Exception):
    """The broker does not answer."""


class EmbeddedBroker:
    """The mock cluster in a process of its own."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        rotate(log)
        self._child = Child("vigia.cli.run.broker_process", [], environment, log, answers=True)
        self.cluster_id = f"embedded-{uuid.uuid4().hex[:12]}"
        try:
            self.bootstrap = self._address()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._child.pid

    def check(self) -> None:
        """Raise RunFailed when the broker has ended: what it held is lost, so the run is over."""
        code = self._child.poll()
        if code is not None:
            raise RunFailed(f"the embedded broker ended with {code}; its log: {self._child.log}", BUG)

    def stop(self) -> None:
        """End it."""
        self._child.close()
        if not self._child.wait(STOP_SECONDS / 5):
            self._child.kill()
            self._child.wait(KILL_SECONDS)

    def _address(self) -> str:
        ready, _, _ = select.select([self._child.answers], [], [], START_SECONDS)
        address = self._child.answers.readline().decode().strip() if ready else ""
        if not address:
            said = "\n".join(last_lines(self._child.log, 10))
            raise RunFailed(f"the embedded broker did not start; its log {self._child.log} ends:\n{said}", TRANSIENT)
        return address


def touch_topics(connection: Mapping[str, Any], names: Iterable[str]) -> None:
    """Ask for each topic's metadata, by which the embedded broker makes it; workers must find all at their start."""
    client = _silent_producer(connection)
    for name in names:
        error = client.list_topics(name, timeout=ANSWER_SECONDS).topics[name].error
        if error is not None:
            raise BrokerDown(f"the broker did not make the topic {name}: {error}")


def ask_cluster_id(connection: Mapping[str, Any]) -> str:
    """Return the cluster's own id; raises BrokerDown when there is no answer."""
    try:
        metadata = _silent_producer(connection).list_topics(timeout=ANSWER_SECONDS / 2)
    except KafkaException as error:
        raise BrokerDown(f"Kafka at {connection['bootstrap.servers']} does not answer") from error
    return str(metadata.cluster_id)


class EndOffsets:
    """Asks for the next offset to be written in each partition."""

    def __init__(self, connection: Mapping[str, Any], prefix: str = "") -> None:
        self._ends = LogEnds(connection, prefix, ANSWER_SECONDS)

    def read(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the end offsets; raises BrokerDown when there is no answer in time."""
        try:
            return self._ends.read(partitions)
        except Transient as error:
            raise BrokerDown(str(error)) from error


def _silent_producer(connection: Mapping[str, Any]) -> Producer:
    # librdkafka writes every refused connection to stderr; the caller says it once and better
    return Producer({**connection, "log_level": 0})
