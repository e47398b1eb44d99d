"""The first part of a step: records become events, each checked, or are refused, or are sent on to their right lane.

Pure: no I/O, and nothing here depends on a clock other than the records' Kafka times.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from vigia.events.base import Event
from vigia.events.invalid import Invalid, Reason
from vigia.events.names import MAX_NAME, name_problem
from vigia.events.samples import Sample
from vigia.events.topic import Topic
from vigia.stores.base import OutboxRow, RawEntry
from vigia.streaming.batches import ORIGIN_HEADER, TICK_HEADER, Batch, header
from vigia.streaming.oversize import cut, is_large, too_large
from vigia.streaming.partitions import partition_of
from vigia.streaming.plain import plain_samples

ScopeOf = Callable[[str, float], str]
"""(service, time in epoch seconds) -> the team whose model scores it."""

Refusal = Callable[[Event, float], tuple[Reason, str] | None]
"""(event, its Kafka time in epoch seconds) -> why its sender may not say it, and in words."""

HOUR = 3_600
_TIME = itemgetter(0)

MAX_KNOWN_KEYS = 100_000
"""Keys of a partition that are remembered: hashing one in Python takes longer than decoding its record."""

MAX_KEY = 4 * MAX_NAME
"""Longest key, in bytes of UTF-8, that can be a name."""

MAX_MOVED = 1000 * 1024
"""Largest event that is sent on, in bytes: it is not compressed, and must fit into the broker's limit of 1 MiB."""


@dataclass(slots=True)
class Refused:
    """An event that was refused: record index, position in its message, why, and how many events it counts for."""

    record: int
    position: int
    invalid: Invalid
    weight: int = 1


@dataclass(slots=True)
class Taken:
    """What a batch holds. `events[i]` came from record `record_of[i]`; `identities[i]` is empty where repeats count.

    `times[i]` is its Kafka time, `occurred[i]` its own; in the raw log it is found under the name `found_under[i]`.
    """

    batch: Batch
    cluster_id: str = ""
    events: list[Any] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    occurred: list[float] = field(default_factory=list)
    found_under: list[str] = field(default_factory=list)
    record_of: list[int] = field(default_factory=list)
    position_of: list[int] = field(default_factory=list)
    identities: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    moved: list[OutboxRow] = field(default_factory=list)
    moved_weight: int = 0
    ticks: int = 0
    weight: int = 0
    clock: float = 0.0


class Intake:
    """Takes batches of one topic in for one agent."""

    def __init__(
        self,
        topic: Topic,
        scope_of: ScopeOf,
        future_limit: float,
        elsewhere: Sequence[Topic] = (),
        refusal: Refusal | None = None,
    ) -> None:
        """`elsewhere` are the topics that an event of another tool's payload may belong on; `refusal` says of each
        event that is in its place whether its sender may say it.
        """
        self._topic = topic
        self._elsewhere = elsewhere
        self._scope_of = scope_of
        self._future_limit = future_limit
        self._refusal = refusal
        self._samples = topic.types == (Sample,)
        # by partition, and of how many it is one: the keys that belong there, as text
        self._known: defaultdict[tuple[int, int], dict[bytes, str]] = defaultdict(dict)

    def take(self, batch: Batch, partition_count: int, cluster_id: str = "") -> Taken:
        """Return the batch's events, in order, and everything that is not one."""
        plain = self._take_plain(batch, partition_count, cluster_id) if self._samples else None
        return plain or self._take_carefully(batch, partition_count, cluster_id)

    def _take_plain(self, batch: Batch, partition_count: int, cluster_id: str) -> Taken | None:
        stamps, known = batch.records.timestamps, self._known[batch.partition, partition_count]
        # the first batch of a lane, or one that a service is new in, is as plain as others once its keys are known
        for key in set(batch.records.keys).difference(known):
            if self._key_here(key, batch.partition, partition_count) is None:
                return None
        plain = plain_samples(batch.records, known, min(stamps) / 1000, self._future_limit)
        if plain is None:
            return None
        count = len(plain.samples)
        return Taken(
            batch,
            cluster_id,
            events=plain.samples,
            times=[stamp / 1000 for stamp in stamps],
            occurred=plain.times,
            found_under=plain.services,
            record_of=list(range(count)),
            position_of=[0] * count,
            identities=[""] * count,
            weight=count,
            clock=max(stamps) / 1000,
        )

    def _take_carefully(self, batch: Batch, partition_count: int, cluster_id: str) -> Taken:
        large = [index for index, record in enumerate(batch.records) if is_large(record)]
        if large:
            batch = cut(batch, large)
        taken = Taken(batch, cluster_id)
        decode = self._topic.decode
        for index, record in enumerate(batch.records):
            arrived = record.timestamp / 1000
            taken.clock = max(taken.clock, arrived)
            # a tick has no value: whoever puts the header on an event must not make it vanish
            if record.headers and not record.value and header(record, TICK_HEADER) is not None:
                taken.ticks += 1
                continue
            if record.headers and (invalid := too_large(record)) is not None:
                taken.weight += 1
                taken.refused.append(Refused(index, 0, invalid))
                continue
            here = self._key_here(record.key, batch.partition, partition_count)
            for position, item in enumerate(decode(record.value, record.headers, arrived)):
                if isinstance(item, Invalid):
                    taken.weight += 1
                    taken.refused.append(Refused(index, position, item))
                else:
                    self._place(taken, index, position, item, here)
        return taken

    def _place(self, taken: Taken, index: int, position: int, event: Event, here: str | None) -> None:
        """Put one event where it belongs; `here` is the record's key, if it has one that belongs in this partition."""
        record = taken.batch.records[index]
        clock = record.timestamp / 1000
        weight = event.weight
        taken.weight += weight
        occurred_at = event.occurred_at
        if occurred_at > clock + self._future_limit:
            ahead = occurred_at - clock
            detail = f"the event is {ahead:.0f} s ahead of its arrival; at most {self._future_limit:.0f} s are allowed"
            taken.refused.append(Refused(index, position, Invalid(Reason.FUTURE, detail, encoded(event)), weight))
            return
        topic = self._topic if isinstance(event, self._topic.types) else self._topic_of(event)
        if topic is None:
            detail = f"{self._topic.name} carries no {type(event).__name__}, and no other topic takes it"
            taken.refused.append(Refused(index, position, Invalid(Reason.UNKNOWN_TYPE, detail, encoded(event)), weight))
            return
        event = self._with_scope(event, topic)
        if topic is not self._topic or topic.key_of(event) != here:
            self._move(taken, index, position, event, topic)
            return
        if self._refusal is not None and (why := self._refusal(event, clock)) is not None:
            # before repeats are told apart: a forged event must not pass for the first of a true one
            taken.refused.append(Refused(index, position, Invalid(*why, encoded(event)), weight))
            return
        origin = header(record, ORIGIN_HEADER) if record.headers else None
        taken.events.append(event)
        taken.times.append(clock)
        taken.occurred.append(occurred_at)
        # an event that names no service is found by its key: the AI agent of a decision, the scope of an outcome
        taken.found_under.append(getattr(event, "service", "") or here or "")
        taken.record_of.append(index)
        taken.position_of.append(position)
        taken.identities.append(event.identity or (origin.decode(errors="replace") if origin else ""))

    def _topic_of(self, event: Event) -> Topic | None:
        return next((topic for topic in self._elsewhere if isinstance(event, topic.types)), None)

    def _move(self, taken: Taken, index: int, position: int, event: Event, topic: Topic) -> None:
        """Send an event on to its right lane of its right topic, once."""
        batch = taken.batch
        record, key = batch.records[index], topic.key_of(event)
        origin = header(record, ORIGIN_HEADER) if record.headers else None
        # a name that is too long must not fill the cache of name_problem
        problem = name_problem(key) if len(key) <= MAX_NAME else f"has {len(key)} characters; at most {MAX_NAME} may be"
        if problem:
            invalid = Invalid(Reason.BAD_NAME, f"{topic.key} {problem}: {key[:40]!r}", encoded(event))
            taken.refused.append(Refused(index, position, invalid, event.weight))
            return
        if origin is not None:
            detail = (
                f"sent on once already (from {origin[:200]!r}) and still not in its place: "
                f"key {(record.key or b'')[:200]!r}, partition {batch.partition}"
            )
            invalid = Invalid(Reason.WRONG_PARTITION, detail, encoded(event))
            taken.refused.append(Refused(index, position, invalid, event.weight))
            return
        value = encoded(event)
        if len(value) > MAX_MOVED:
            detail = f"the event has {len(value)} bytes, too many to be sent on; send it under the key {key!r}"
            taken.refused.append(Refused(index, position, Invalid(Reason.TOO_LARGE, detail, value), event.weight))
            return
        # offsets of another cluster, such as an embedded broker started anew, are other places
        place = f"{taken.cluster_id}/{batch.topic}/{batch.partition}/{record.offset}/{position}"
        headers = ((ORIGIN_HEADER, place.encode()),)
        taken.moved_weight += event.weight
        # its number is given when the step's outbox is put together
        taken.moved.append(OutboxRow(0, topic.name, key.encode(), value, headers))

    def _with_scope(self, event: Event, topic: Topic) -> Event:
        if topic.key != "scope" or topic.key_of(event):
            return event
        scope = self._scope_of(str(getattr(event, "service", "")), event.occurred_at)
        return msgspec.structs.replace(event, scope=scope)  # type: ignore[type-var] # every event is a Struct

    def _key_here(self, key: bytes | None, partition: int, partition_count: int) -> str | None:
        """The record's key as text, or None when it is missing or does not belong in this partition."""
        if not key:
            return None
        names = self._known[partition, partition_count]
        known = names.get(key)
        if known is not None:
            return known
        if len(key) > MAX_KEY or partition_of(key, partition_count) != partition:
            return None
        try:
            text = key.decode()
        except UnicodeDecodeError:
            return None
        if len(names) >= MAX_KNOWN_KEYS:
            names.clear()
        names[key] = text
        return text


def raw_entries(taken: Taken, *, packed: bool) -> list[RawEntry]:
    """Return by what the batch's events can be found in the raw log; packed, one entry for each service and hour."""
    offsets, record_of = taken.batch.records.offsets, taken.record_of
    services, times = taken.found_under, taken.occurred
    if packed:
        hours = [at // HOUR for at in times]
        places = range(len(hours))
        # the first event of each service and hour: a later entry gives way to an earlier one
        first = dict(zip(zip(reversed(services), reversed(hours), strict=True), reversed(places), strict=True))
        entries = [RawEntry(offsets[record_of[i]], 0, services[i], times[i], "") for i in sorted(first.values())]
        packed_samples = taken.weight > len(times)
        return entries + _entries_of_points(taken, first.keys()) if packed_samples else entries
    return [
        RawEntry(offsets[record_of[i]], taken.position_of[i], services[i], times[i], taken.identities[i])
        for i in range(len(services))
    ]


def _entries_of_points(taken: Taken, known: Collection[tuple[str, float]]) -> list[RawEntry]:
    """Return an entry for each service and hour that only earlier points of packed samples lie in."""
    found: dict[tuple[str, float], RawEntry] = {}
    for index, event in enumerate(taken.events):
        points = getattr(event, "points", None)
        if not points:
            continue
        service, latest = taken.found_under[index], taken.occurred[index] // HOUR
        if min(map(_TIME, points)) // HOUR == latest:
            continue
        offset = taken.batch.records.offsets[taken.record_of[index]]
        for at, _ in points:
            place = service, at // HOUR
            if place not in known and place not in found:
                found[place] = RawEntry(offset, 0, service, at, "")
    return list(found.values())


def encoded(event: Event) -> bytes:
    """Return an event as JSON, with its keys in a fixed order: equal events give equal bytes."""
    return msgspec.json.encode(event, order="deterministic")
