"""A dead letter: an event that was refused, why, and where its original lies."""

import base64

from vigia.events.base import EventStruct
from vigia.events.invalid import Reason

MAX_BODY = 65_536
"""Bytes of the original that a dead letter carries; the rest is in the raw log under its place."""


class DeadLetter(EventStruct, tag_field="type", tag="dead-letter", frozen=True, kw_only=True):
    """What was refused: `reason` and `detail`, its place (topic, partition, offset, position in the message), its body.

    `body` is base64, at most `MAX_BODY` bytes before encoding; `body_size` is the full size in bytes.
    """

    letter_id: str
    reason: Reason
    detail: str
    cluster: str
    topic: str
    partition: int
    offset: int
    position: int
    at: float
    body: str
    body_size: int

    @property
    def identity(self) -> str:
        """The letter's id."""
        return self.letter_id

    @property
    def occurred_at(self) -> float:
        """The Kafka time of the record, in epoch seconds."""
        return self.at

    @property
    def body_bytes(self) -> bytes:
        """The body as it was received (cut at `MAX_BODY`)."""
        return base64.b64decode(self.body)


def encode_body(body: bytes) -> str:
    """Return the text form of a refused body, cut at `MAX_BODY` bytes."""
    return base64.b64encode(body[:MAX_BODY]).decode()
