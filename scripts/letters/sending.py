"""Sends replayed events, and waits until the broker has acknowledged each."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from vigia.settings import KafkaSettings

REPLAY_HEADER = "vigia-replay"
"""Tells a reader of the topic or the raw log which letter a record was sent again for."""

LARGEST = 16 * 1024 * 1024
"""Bytes of a message before compression; the broker has the last word."""


class Outgoing(NamedTuple):
    """One event to send again."""

    letter_id: str
    topic: str
    """Its name in `vigia/topics.py`."""
    key: bytes | None
    body: bytes


class NotAcknowledged(Exception):
    """The broker could not be asked at all."""


Send = Callable[[KafkaSettings, Sequence[Outgoing]], dict[str, str]]
"""As `send`."""


def send(kafka: KafkaSettings, events: Sequence[Outgoing]) -> dict[str, str]:
    """Send the events in order; returns by letter id why the broker has not acknowledged those that it has not."""
    failed = {event.letter_id: "no answer within the time limit" for event in events}
    try:
        producer = Producer(
            {
                **kafka.confluent_config(),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                # the one codec that every consumer has: others need libraries
                "compression.type": "gzip",
                "message.max.bytes": LARGEST,
                "allow.auto.create.topics": False,
                "message.timeout.ms": int(kafka.request_timeout * 1000),
                "log_level": 0,
            }
        )
        for event in events:
            producer.produce(
                kafka.physical(event.topic),
                event.body,
                event.key,
                headers=[(REPLAY_HEADER, event.letter_id.encode())],
                on_delivery=_noting(failed, event.letter_id),
            )
        producer.flush(kafka.request_timeout + 1)
    except KafkaException as error:
        raise NotAcknowledged(f"cannot write to Kafka at {kafka.bootstrap}: {error}") from error
    return failed


def _noting(failed: dict[str, str], letter_id: str) -> Callable[[KafkaError | None, Message], None]:
    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is None:
            del failed[letter_id]
        else:
            failed[letter_id] = error.str()

    return delivered
