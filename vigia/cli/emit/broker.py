"""Sending one event, and waiting for a deployment's risk, by librdkafka: it connects in milliseconds."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from vigia.events.base import Event
from vigia.events.deployments import Deployment
from vigia.events.risk import Risk
from vigia.events.topic import Topic
from vigia.feeds.send import PRODUCER_SETTINGS
from vigia.settings import KafkaSettings
from vigia.topics import RISK

HOPELESS = (
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - the client's own errors have such names
    KafkaError._SSL,  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
)
"""Errors that waiting does not mend."""

NO_NUMBERING = {"enable.idempotence": False}
"""To be numbered costs a client half a second at its start. What it is for, that a retry counts once, the event's own
id does: every event that is emitted has one."""

WAITED = (KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT, KafkaError._TRANSPORT)  # noqa: SLF001
"""Errors that say that it took too long, and not why."""

POLL_SECONDS = 0.1

EARLIER_AFTER = 2.0
"""Seconds after which the risk is looked for among earlier records, too: a deployment is scored once, so one that is
emitted again, as by a job that was tried again, gets no new one."""

EARLIER_RECORDS = 1_000
"""So far back, in each partition."""


class NotAcknowledged(Exception):
    """The broker has not taken an event, or does not answer; the message says what is known of it."""


class Place(NamedTuple):
    """Where an event lies on the broker."""

    topic: str
    partition: int
    offset: int


class Complaints:
    """Keeps what librdkafka says went wrong, which it tells by callbacks and then tries again for ever."""

    def __init__(self) -> None:
        self.last = ""
        self.hopeless = False

    def __call__(self, error: KafkaError) -> None:
        """Take an error."""
        self.last = error.str()
        self.hopeless |= error.code() in HOPELESS

    def settings(self) -> dict[str, Any]:
        """Return what a client's configuration needs for it."""
        return {"error_cb": self, "log_level": 0}


def send(kafka: KafkaSettings, topic: Topic, event: Event, within: float) -> Place:
    """Return where the event lies once all in-sync replicas have it; raises NotAcknowledged after `within` seconds."""
    complaints = Complaints()
    limits = {"message.timeout.ms": max(1, int(within * 1000)), "linger.ms": 0}
    producer = _client(Producer, {**PRODUCER_SETTINGS, **NO_NUMBERING, **limits}, kafka, complaints)
    answers: list[tuple[KafkaError | None, Any]] = []
    # without a key the worker finds out where it belongs, and sends it on
    key = topic.key_of(event).encode() or None
    name = kafka.physical(topic.name)
    producer.produce(name, msgspec.json.encode(event), key, on_delivery=lambda *answer: answers.append(answer))
    deadline = time.monotonic() + within
    while not answers and time.monotonic() < deadline and not complaints.hopeless:
        producer.poll(POLL_SECONDS)
    if not answers:
        # or it would still be sent while this process ends
        producer.purge()
        producer.flush(1.0)
        raise NotAcknowledged(_why(kafka, f"has not acknowledged the event for {name}", within, complaints))
    error, message = answers[0]
    if error is not None:
        raise NotAcknowledged(_why(kafka, f"has not acknowledged the event for {name}", within, complaints, error))
    return Place(name, message.partition(), message.offset())


class RiskReader:
    """Reads `risk` from where it ended when this was made: make it before the event is sent."""

    def __init__(self, kafka: KafkaSettings, within: float) -> None:
        self._kafka = kafka
        self._complaints = Complaints()
        self._topic = kafka.physical(RISK.name)
        config = {
            # nothing is committed: no group is joined, but a name must be there, and one that access lists allow
            "group.id": f"{kafka.sasl_username or 'ci'}-emit",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "latest",
            "fetch.wait.max.ms": 50,
            "fetch.error.backoff.ms": 50,
        }
        self._consumer = _client(Consumer, config, kafka, self._complaints)
        try:
            self._ranges = self._bounds(within)
        except KafkaException as error:
            # what went wrong is told by a callback, and only while polling
            self._consumer.poll(0)
            self._consumer.close()
            raise NotAcknowledged(
                _why(kafka, f"does not tell where {self._topic} ends", within, self._complaints, error.args[0])
            ) from error
        self._start(lambda _low, high: high)

    def wait(self, event: Deployment, within: float, clock: Callable[[], float] = time.monotonic) -> Risk | None:
        """Return what is said of a deployment, or None when nothing is within so many seconds."""
        started = clock()
        looked_back = False
        while (waited := clock() - started) < within and not self._complaints.hopeless:
            if waited >= EARLIER_AFTER and not looked_back:
                looked_back = True
                self._start(lambda low, high: max(low, high - EARLIER_RECORDS))
            message = self._consumer.poll(min(POLL_SECONDS, within - waited))
            if message is not None and message.error() is None and (risk := risk_of(message.value(), event)):
                return risk
        return None

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _bounds(self, within: float) -> dict[int, tuple[int, int]]:
        deadline = time.monotonic() + within
        while True:
            try:
                return self._bounds_now(deadline)
            except KafkaException as error:
                # a broker or topic that has just been started may have no leaders yet, or not know that it leads
                if error.args[0].code() in HOPELESS or self._complaints.hopeless or time.monotonic() >= deadline:
                    raise
            time.sleep(POLL_SECONDS)

    def _bounds_now(self, deadline: float) -> dict[int, tuple[int, int]]:
        def left() -> float:
            return max(0.1, deadline - time.monotonic())

        topic = self._consumer.list_topics(self._topic, timeout=left()).topics[self._topic]
        if topic.error is not None or not topic.partitions:
            raise KafkaException(topic.error or KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
        return {
            number: self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=left())
            for number in topic.partitions
        }

    def _start(self, place: Callable[[int, int], int]) -> None:
        self._consumer.assign(
            [TopicPartition(self._topic, number, place(low, high)) for number, (low, high) in self._ranges.items()]
        )


def risk_of(value: bytes | None, event: Deployment) -> Risk | None:
    """Return what a record of `risk` says of a deployment; None when it is about another one, or of another scope."""
    # most records are about others: they need not be decoded
    if not value or event.deployment_id.encode() not in value:
        return None
    for each in RISK.decode(value):
        if not isinstance(each, Risk) or each.deployment_id != event.deployment_id:
            continue
        if not event.scope or each.scope == event.scope:
            return each
    return None


def _client(make: Any, config: Mapping[str, Any], kafka: KafkaSettings, complaints: Complaints) -> Any:
    try:
        return make({**kafka.confluent_config(), **config, **complaints.settings()})
    except KafkaException as error:
        raise NotAcknowledged(f"the connection settings cannot be used: {error.args[0].str()}") from error


def _why(kafka: KafkaSettings, what: str, within: float, said: Complaints, error: KafkaError | None = None) -> str:
    if error is not None and said.last and error.code() in WAITED:
        error = None
    reason = error.str() if error is not None else said.last
    waited = "" if error is not None or said.hopeless else f" within {within:g} s"
    because = f": {reason}" if reason else ""
    return f"Kafka at {kafka.bootstrap} {what}{waited}{because}"
