"""What must have come of a lane's steps: a plain computation, one record after the other, without the code under test.

It takes from the code under test only how a record is decoded and hashed. Given are the broker's records, in which
order and cuts they were applied (`steps`), and which records the model was given up on (`quarantined`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.simulation.model import AGAIN_AFTER
from tests.support.fakes.notes import Note, Total
from vigia.events.identity import derive_id
from vigia.events.invalid import Invalid
from vigia.events.topic import Topic
from vigia.stores.base import RawRecord, StepRow
from vigia.streaming.partitions import partition_of

CLUSTER = "cluster-1"
FUTURE_LIMIT = 300.0
EMPTY = (0, 0, 0, "")

Output = tuple[str, bytes, bytes]


def encoded(event: Any) -> bytes:
    """The bytes that two contents are compared by, and that are sent."""
    return msgspec.json.encode(event, order="deterministic")


def header(record: RawRecord, name: str) -> bytes | None:
    """The header's value."""
    return dict(record.headers).get(name)


@dataclass
class Reference:
    """One lane."""

    partition: int
    partitions: int
    quarantined: set[tuple[str, int]]
    clock: float = 0.0
    states: dict[str, tuple[int, int, int, str]] = field(default_factory=dict)
    """Total, applied, fired, chain."""
    rows: dict[tuple[str, int], tuple[int, float, int]] = field(default_factory=dict)
    """Count, sum, late."""
    timers: dict[tuple[str, str], float] = field(default_factory=dict)
    seen: dict[tuple[str, str], bytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    letters: list[tuple[str, int, int, str]] = field(default_factory=list)
    """Topic, offset, position, reason."""
    outputs: list[Output] = field(default_factory=list)
    moved: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    """Key, value, origin."""
    _touched: set[tuple[str, str]] = field(default_factory=set)
    _known: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def step(self, topic: Topic, row: StepRow, records: Sequence[RawRecord]) -> None:
        """Apply the records of one step, then fire what was due."""
        self.clock = max([self.clock, *(record.timestamp / 1000 for record in records)])
        due = sorted((at, kind, key) for (kind, key), at in self.timers.items() if at <= self.clock)
        self._touched = set()
        # within a step, an event that the model refuses is remembered too
        self._known = dict(self.seen)
        for record in records:
            self._record(topic, record)
        for at, kind, key in due:
            self._fire(topic.name, row.last_offset, at, kind, key)

    def _record(self, topic: Topic, record: RawRecord) -> None:
        name = topic.name
        if not record.value and header(record, "vigia-tick") is not None:
            self.counts[f"{name}.ticks"] += 1
            return
        for position, item in enumerate(topic.decode(record.value)):
            if isinstance(item, Invalid):
                self._refuse(name, record, position, str(item.reason), 1)
                continue
            assert isinstance(item, Note)
            if item.at > record.timestamp / 1000 + FUTURE_LIMIT:
                self._refuse(name, record, position, "future", item.samples)
            elif self._is_here(record, item):
                self._arrived(name, record, position, item)
            elif header(record, "vigia-origin") is not None:
                self._refuse(name, record, position, "wrong_partition", item.samples)
            else:
                self._count(name, "moved", item.samples)
                origin = f"{CLUSTER}/{name}/{self.partition}/{record.offset}/{position}"
                self.moved.append((item.service.encode(), encoded(item), origin.encode()))

    def _is_here(self, record: RawRecord, note: Note) -> bool:
        key = note.service.encode()
        return record.key == key and partition_of(key, self.partitions) == self.partition

    def _arrived(self, topic: str, record: RawRecord, position: int, note: Note) -> None:
        """Apply a note that lies in its place, once."""
        if (topic, record.offset) in self.quarantined:
            self._refuse(topic, record, position, "model_error", note.samples)
            return
        origin = header(record, "vigia-origin")
        identity = note.event_id or (origin.decode() if origin else "")
        if identity:
            before = self._known.get((note.service, identity))
            if before == encoded(note):
                self._count(topic, "duplicate", note.samples)
                return
            if before is not None:
                self._refuse(topic, record, position, "conflicting_id", note.samples)
                return
            self._known[note.service, identity] = encoded(note)
        if note.do == "reject":
            self._refuse(topic, record, position, "bad_value", note.samples)
            return
        if identity:
            self.seen[note.service, identity] = encoded(note)
        self._count(topic, "applied", note.samples)
        self.counts["noted"] += note.samples
        self._apply(note, record.timestamp / 1000)

    def _apply(self, note: Note, at: float) -> None:
        name = note.service
        total, applied, fired, chain = self.states.get(name, EMPTY)
        chain = derive_id("chain", chain, "note", note.event_id, str(note.amount), str(note.at))
        total, applied = total + note.amount, applied + 1
        self.states[name] = (total, applied, fired, chain)
        match note.do:
            case "emit":
                self._emit(name, at)
            case "wake" | "wake twice" | "boom later":
                self._set(note.do, name, at + note.wait)
            case "sleep":
                self._set("wake", name, None)
                self._set("wake twice", name, None)
            case "write":
                self.rows[name, 0] = (1, total, 0)
            case "correct":
                self._correct(name, 0, note.amount)
            case "forget":
                del self.states[name]
            case "boom":
                raise AssertionError(f"{note} was applied, and cannot be")

    def _fire(self, topic: str, last_offset: int, due: float, kind: str, name: str) -> None:
        if (kind, name) in self._touched:
            return
        self._set(kind, name, None)
        if kind == "boom later":
            self.letters.append((topic, last_offset, -1, "model_error"))
            return
        total, applied, fired, chain = self.states.get(name, EMPTY)
        self.states[name] = (total, applied, fired + 1, derive_id("chain", chain, "timer", "wake", str(due)))
        self._emit(name, due)
        self._correct(name, 60, 1)
        if kind == "wake twice":
            self._set("wake", name, due + AGAIN_AFTER)

    def _set(self, kind: str, name: str, due: float | None) -> None:
        self._touched.add((kind, name))
        if due is None:
            self.timers.pop((kind, name), None)
        else:
            self.timers[kind, name] = due

    def _correct(self, name: str, start: int, amount: int) -> None:
        held = self.rows.get((name, start))
        self.rows[name, start] = (held[0] + 1, held[1] + amount, held[2] + 1) if held else (1, amount, 0)

    def _emit(self, name: str, at: float) -> None:
        total, _, _, chain = self.states[name]
        self.outputs.append(("totals", name.encode(), encoded(Total(service=name, total=total, chain=chain, at=at))))

    def _refuse(self, topic: str, record: RawRecord, position: int, reason: str, weight: int) -> None:
        self._count(topic, "invalid", weight)
        self.letters.append((topic, record.offset, position, reason))

    def _count(self, topic: str, figure: str, weight: int) -> None:
        self.counts[f"{topic}.in"] += weight
        self.counts[f"{topic}.{figure}"] += weight
