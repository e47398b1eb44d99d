"""What is sent to a world: mostly good notes, and everything that senders get wrong."""

import random
from dataclasses import dataclass
from functools import cache

import msgspec

from tests.simulation.model import FLAKY
from tests.support.fakes.notes import START, Do, Note, encode
from vigia.streaming.batches import ORIGIN_HEADER, TICK_HEADER
from vigia.streaming.partitions import partition_of

CALM_DOS: tuple[Do, ...] = (
    "",
    "",
    "emit",
    "emit",
    "wake",
    "wake twice",
    "sleep",
    "write",
    "correct",
    "forget",
    "reject",
)
WAITS = (0.0, 0.2, 1.0, 3.0)
JUNK = (b"", b"{", b"[]", b'{"type":"note"}', b"\xff")
TICK = ((TICK_HEADER, b"1"),)
FAR_AHEAD = 1_000_000.0
MOST_POISON = 2
POISON_SHARE = 0.1
REPEATED_STRAYS = 0.3


@dataclass(frozen=True, slots=True)
class Sending:
    """A record to be: `at` is in seconds after the world began, `skip` how many offsets are left out before it."""

    at: float
    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    skip: int = 0


@cache
def services(partitions: int) -> list[str]:
    """Two names for each partition."""
    found: dict[int, list[str]] = {number: [] for number in range(partitions)}
    number = 0
    while any(len(names) < 2 for names in found.values()):
        name = f"s{number}"
        held = found[partition_of(name.encode(), partitions)]
        if len(held) < 2:
            held.append(name)
        number += 1
    return [name for names in found.values() for name in names]


class Load:
    """Draws what is sent."""

    def __init__(self, rng: random.Random, topics: list[str], partitions: int, span: float) -> None:
        self._rng = rng
        self._topics = topics
        self._partitions = partitions
        self._span = span
        self._services = services(partitions)
        self._number = 0
        self._sent: list[Note] = []
        self.flaky: dict[str, int] = {}
        """How often the model fails on which notes."""
        self._poison = rng.choice(["", "", "", "boom", "boom later", "flaky"])
        self._poisoned = 0
        self._kinds = ["good"] * 8 + [
            kind
            for kind in ("array", "repeat", "repeat", "conflict", "stray", "stray", "sent on", "junk", "future", "tick")
            if rng.random() < 0.6
        ]

    def sendings(self) -> list[Sending]:
        """All records, in the order in which they are sent."""
        bursts = [self._rng.uniform(0, self._span) for _ in range(self._rng.randint(2, 8))]
        times = sorted(
            min(self._span, self._rng.choice(bursts) + self._rng.expovariate(8))
            for _ in range(self._rng.randint(20, 60))
        )
        return [self._one(at) for at in times]

    def probe(self, partition: int) -> Sending:
        """One more good note for a partition."""
        service = next(name for name in self._services if self._place(name) == partition)
        return Sending(0.0, self._topics[-1], partition, service.encode(), encode(self._note(service=service)))

    def _one(self, at: float) -> Sending:
        rng = self._rng
        kind = rng.choice(self._kinds)
        topic, skip = rng.choice(self._topics), rng.choice([0, 0, 0, 0, 3])
        anywhere = rng.randrange(self._partitions)
        note = self._note_of(kind)
        match kind:
            case "array":
                more = [self._note() for _ in range(rng.randint(0, 2))]
                return self._right(at, topic, note, skip, *more)
            case "stray":
                key = rng.choice([None, note.service.encode(), rng.choice(self._services).encode()])
                return Sending(at, topic, anywhere, key, encode(note), (), skip)
            case "sent on":
                origin = ((ORIGIN_HEADER, f"elsewhere/{self._number}".encode()),)
                return Sending(at, topic, anywhere, note.service.encode(), encode(note), origin, skip)
            case "junk" | "tick":
                value = b"" if kind == "tick" else rng.choice(JUNK)
                return Sending(at, topic, anywhere, None, value, TICK if kind == "tick" else (), skip)
        return self._right(at, topic, note, skip)

    def _note_of(self, kind: str) -> Note:
        """A note that is new, or was sent before, or contradicts one that was."""
        rng = self._rng
        if kind == "good" and self._poison and self._poisoned < MOST_POISON and rng.random() < POISON_SHARE:
            self._poisoned += 1
            return self._poison_note()
        if kind == "future":
            return self._note(at=START + FAR_AHEAD)
        again = kind in {"repeat", "conflict"} or (kind == "stray" and rng.random() < REPEATED_STRAYS)
        if not again or not self._sent:
            return self._note()
        note = rng.choice(self._sent)
        # whether the id of an event that the model refuses is taken depends on the cut: within one step it is
        if kind != "conflict" or note.do == "reject":
            return note
        return msgspec.structs.replace(note, amount=note.amount + 100)

    def _poison_note(self) -> Note:
        if self._poison == "flaky":
            name = f"{FLAKY}-{self._number}"
            self.flaky[name] = self._rng.randint(1, 4)
            return self._note(event_id=name, do="")
        return self._note(do=self._poison)

    def _note(self, **fields: object) -> Note:
        """A note that differs from all others, and may be sent again if it has an id."""
        rng = self._rng
        self._number += 1
        values: dict[str, object] = {
            "service": rng.choice(self._services),
            "event_id": f"e{self._number}" if rng.random() < 0.6 else "",
            "amount": rng.randint(1, 9),
            "do": rng.choice(CALM_DOS),
            "wait": rng.choice(WAITS),
            "samples": rng.choice([1, 1, 3]),
            "at": START + self._number / 16,
            **fields,
        }
        note = Note(**values)  # type: ignore[arg-type] # the fields of a note
        if note.event_id and note.at < START + FAR_AHEAD and not note.event_id.startswith(FLAKY):
            self._sent.append(note)
        return note

    def _right(self, at: float, topic: str, note: Note, skip: int, *more: Note) -> Sending:
        """In its place, at least the first one."""
        key = note.service.encode()
        return Sending(at, topic, self._place(note.service), key, encode(note, *more), (), skip)

    def _place(self, service: str) -> int:
        return partition_of(service.encode(), self._partitions)
