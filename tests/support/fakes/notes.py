"""A model small enough to be checked by eye, that uses every effect a model may have.

A note says in `do` what it wants done. The state is a chain of digests over all that was applied, in order: a lost,
doubled or reordered note shows. Notes that are re-read must not show.
"""

from typing import Any, Literal

import msgspec

from vigia.events.base import EventStruct
from vigia.events.effects import Changes, States, Timer
from vigia.events.identity import derive_id
from vigia.events.invalid import Reason
from vigia.events.summaries import Summary, WindowSummary
from vigia.events.topic import DAY, Topic
from vigia.streaming.route import Route

START = 1_700_000_040.0
"""Kafka time at the beginning of most tests, in epoch seconds."""

Do = Literal["", "emit", "wake", "wake twice", "sleep", "write", "correct", "forget", "reject", "boom", "boom later"]


class Note(EventStruct, tag_field="type", tag="note", frozen=True, kw_only=True):
    """An event that does what it says; `wait` is in seconds and for timers."""

    service: str
    at: float = START
    event_id: str = ""
    amount: int = 1
    do: Do = ""
    wait: float = 0.0
    samples: int = 1
    scope: str = ""

    @property
    def identity(self) -> str:
        return self.event_id

    @property
    def occurred_at(self) -> float:
        return self.at

    @property
    def weight(self) -> int:
        return self.samples


class Total(EventStruct, tag_field="type", tag="total", frozen=True, kw_only=True):
    """What was noted so far."""

    service: str
    total: int
    chain: str
    at: float

    @property
    def identity(self) -> str:
        return self.chain

    @property
    def occurred_at(self) -> float:
        return self.at


class Tally(msgspec.Struct):
    """The state of a service. Changed in place, so a step that failed leaves it spoiled."""

    total: int = 0
    applied: int = 0
    fired: int = 0
    chain: str = ""

    def link(self, *parts: str) -> None:
        """Remember that this happened, and after what."""
        self.chain = derive_id("chain", self.chain, *parts)


class BoomError(RuntimeError):
    """The model's bug."""


class NotesModel:
    """Implements `vigia.events.effects.Model`."""

    name = "notes"
    schema = 3

    def keys(self, events: list[Note]) -> set[str]:
        return {event.service for event in events}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (timer.key,)

    def record_key(self, state_key: str) -> str:
        return state_key

    def load(self, key: str, schema: int, body: bytes) -> Tally:
        if schema != self.schema:
            raise BoomError(f"{key} has schema {schema}")
        return msgspec.msgpack.decode(body, type=Tally)

    def dump(self, key: str, state: Tally) -> bytes:
        return msgspec.msgpack.encode(state)

    def apply(self, events: list[Note], times: list[float], states: States[Tally], changes: Changes) -> None:
        for index, (note, time) in enumerate(zip(events, times, strict=True)):
            if note.do == "reject":
                changes.reject(index, Reason.BAD_VALUE, "it wants to be refused")
                continue
            tally = states.get(note.service) or Tally()
            tally.applied += 1
            tally.total += note.amount
            tally.link("note", note.event_id, str(note.amount), str(note.at))
            states.put(note.service, tally)
            changes.count("noted", note.samples)
            self._do(note, time, tally, states, changes)

    def _do(self, note: Note, time: float, tally: Tally, states: States[Tally], changes: Changes) -> None:
        match note.do:
            case "emit":
                self._emit(note.service, tally, time, changes)
            case "wake" | "wake twice" | "boom later":
                changes.set_timer(note.do, note.service, time + note.wait)
            case "sleep":
                for kind in ("wake", "wake twice"):
                    changes.clear_timer(kind, note.service)
            case "write":
                changes.write(_window(note.service, 0, tally.total))
            case "correct":
                changes.correct(_window(note.service, 0, note.amount), self.merge)
            case "forget":
                states.put(note.service, None)
            case "boom":
                raise BoomError(f"the model cannot take {note.event_id!r} of {note.service}")

    def fire(self, timer: Timer, clock: float, states: States[Tally], changes: Changes) -> None:
        if timer.kind == "boom later":
            raise BoomError(f"the timer of {timer.key} cannot be fired")
        tally = states.get(timer.key) or Tally()
        tally.fired += 1
        tally.link("timer", timer.kind, str(timer.due))
        states.put(timer.key, tally)
        self._emit(timer.key, tally, timer.due, changes)
        changes.correct(_window(timer.key, 60, 1), self.merge)
        if timer.kind == "wake twice":
            changes.set_timer("wake", timer.key, timer.due + 60)

    def _emit(self, service: str, tally: Tally, at: float, changes: Changes) -> None:
        changes.emit(TOTALS.name, service, Total(service=service, total=tally.total, chain=tally.chain, at=at))

    def merge(self, row: Summary, partial: Summary) -> Summary:
        assert isinstance(row, WindowSummary)
        assert isinstance(partial, WindowSummary)
        return msgspec.structs.replace(
            row, count=row.count + partial.count, sum=row.sum + partial.sum, late=row.late + partial.count
        )


def _window(service: str, start: int, total: int) -> WindowSummary:
    return WindowSummary(
        series_id=derive_id("notes", service), start=start, count=1, sum=total, min=0.0, max=0.0, sketch=b"", late=0
    )


def topic(name: str, key: str = "service", types: tuple[Any, ...] = (Note,)) -> Topic:
    """A topic as tests need it."""
    return Topic(
        name=name,
        key=key,
        types=types,
        partitions=4,
        retention=DAY,
        written_by=("tests",),
        read_by=("tests",),
        purpose="tests",
    )


NOTES = topic("notes")
MORE = topic("more")
SCOPED = topic("scoped", key="scope")
TOTALS = topic("totals", types=(Total,))


def notes_route(*topics: Topic, packed: bool = False) -> Route:
    """The route of the agent `notes`, which reads `notes` and `more` unless told otherwise."""
    return Route("notes", topics or (NOTES, MORE), NotesModel(), packed, (TOTALS,))


def encode(*notes: Note) -> bytes:
    """One note as an object, several as an array."""
    return msgspec.json.encode(notes[0] if len(notes) == 1 else notes)
