"""What a topic is: the type of the rows in `vigia/topics.py`, and how its records are decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from vigia.events.base import Event
from vigia.events.decoding import EventDecoder, RefusingDecoder
from vigia.events.formats import Headers, from_elsewhere, translate
from vigia.events.invalid import Invalid

DAY = 24 * 3600


@dataclass(frozen=True)
class Topic:
    """One row: everything that is fixed about a topic.

    `key` names the field of its events that is the Kafka key; `types` may be empty while no Struct exists yet.
    `retention` is in seconds (-1: kept for ever); `partitions` is the count it is created with, and more can be added
    later. `written_by` and `read_by` name principals, from which the access lists are printed. `timestamps` says whose
    clock a record's Kafka time is: the broker's unless a row says otherwise, since lanes take it for the time of
    arrival and retention counts from it. With `formats`, payloads of other tools are taken, too
    (`vigia/events/formats`); some of their events may belong on another such topic.
    """

    name: str
    key: str
    types: tuple[type[msgspec.Struct], ...]
    partitions: int
    retention: int
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    purpose: str
    compacted: bool = False
    retention_reason: str = ""
    timestamps: Literal["LogAppendTime", "CreateTime"] = "LogAppendTime"
    formats: bool = False
    _decoder: EventDecoder | RefusingDecoder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_decoder", EventDecoder(self.types) if self.types else RefusingDecoder())

    def key_of(self, event: Event) -> str:
        """Return the key that `event` belongs under on this topic; empty when only the catalog knows."""
        return str(getattr(event, self.key))

    def decode(
        self, value: bytes | None, headers: Headers = (), received_at: float | None = None
    ) -> Sequence[Event | Invalid]:
        """Return what one record carries, in order, each valid or `Invalid`: an event, a JSON array of events, or with
        `formats` the payload of another tool. `received_at` is the record's Kafka time in epoch seconds.
        """
        if not self.formats or not value:
            return self._decoder.decode(value)
        if headers and from_elsewhere(headers):
            return translate(value, headers, received_at) or self._decoder.decode(value)
        found = self._decoder.decode(value)
        # ours are tried first: they are most, and must not pay for the others
        if len(found) == 1 and isinstance(found[0], Invalid):
            return translate(value, headers, received_at) or found
        return found
