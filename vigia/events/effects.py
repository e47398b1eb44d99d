"""What a model gives back: the effects of a batch of events, as data. The step carries them out in one transaction.

A model is a pure function of (states, events, times): it reads and puts states through `States`, and records everything
else in `Changes`. It never does anything itself. A failed step throws both away.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from vigia.events.base import Event
from vigia.events.invalid import Reason
from vigia.events.summaries import Summary

S = TypeVar("S")
E = TypeVar("E")


class Timer(msgspec.Struct, frozen=True):
    """A wake-up at `due` (epoch seconds of the lane's clock) for (kind, key); setting it again moves it."""

    kind: str
    key: str
    due: float


class Output(msgspec.Struct, frozen=True):
    """An event to be published on `topic` under `key`."""

    topic: str
    key: str
    event: Event


class Rejection(msgspec.Struct, frozen=True):
    """The model refuses the event with this index in the batch it was given."""

    index: int
    reason: Reason
    detail: str


class RowRange(NamedTuple):
    """The rows of one table whose primary key begins with `leading`, and whose last part is in [first, end)."""

    kind: type[Summary]
    leading: tuple[object, ...]
    first: int
    end: int


class RollUp(NamedTuple):
    """Rows to be made of other rows, those in `source` as they are when the step commits: `make` makes them.

    Sources may be the rows that another roll-up of the same step makes, if their table comes first in `SUMMARIES`.
    """

    source: RowRange
    make: "Callable[[Sequence[Summary]], list[Summary]]"


class States(Generic[S]):
    """The states of the keys that a batch may touch, loaded beforehand.

    `get` returns the state or None. A model may change what it got in place, and must `put` it then. `put(key, None)`
    deletes. Keys that the model did not announce raise KeyError: they were not loaded, and None would be a lie.
    """

    __slots__ = ("_loaded", "changed")

    def __init__(self, loaded: dict[str, S | None]) -> None:
        self._loaded = loaded
        self.changed: set[str] = set()

    def get(self, key: str) -> S | None:
        """Return the state under `key`, or None when there is none yet."""
        return self._loaded[key]

    def put(self, key: str, state: S | None) -> None:
        """Set (or with None delete) the state under `key`."""
        if key not in self._loaded:
            raise KeyError(key)
        self._loaded[key] = state
        self.changed.add(key)

    def all(self) -> dict[str, S | None]:
        """Every loaded state, changed or not."""
        return self._loaded

    def items_changed(self) -> Iterator[tuple[str, S | None]]:
        """The states that were put, in key order."""
        return ((key, self._loaded[key]) for key in sorted(self.changed))


class Changes:
    """The effects of one batch, collected by a model in the order in which they came to be."""

    __slots__ = (
        "corrections",
        "counts",
        "outputs",
        "rejections",
        "roll_ups",
        "rows_read_back",
        "summaries",
        "timers",
        "warnings",
    )

    def __init__(self) -> None:
        self.summaries: dict[tuple[object, ...], Summary] = {}
        self.corrections: dict[tuple[object, ...], Summary] = {}
        self.roll_ups: list[RollUp] = []
        self.rows_read_back = 0
        self.outputs: list[Output] = []
        self.timers: dict[tuple[str, str], float | None] = {}
        self.rejections: list[Rejection] = []
        self.counts: Counter[str] = Counter()
        self.warnings: list[str] = []

    def write(self, row: Summary) -> None:
        """Insert or replace a summary row; the last write of a row in a batch wins."""
        key = row_key(row)
        self.summaries[key] = row
        # it replaces the whole row, so what was to be merged into the old one is gone with it
        self.corrections.pop(key, None)

    def correct(self, partial: Summary, merge: Callable[[Summary, Summary], Summary]) -> None:
        """Merge `partial` into the row that may exist already; the step loads it and calls the model's `merge`.

        Partials of the same row in one batch are merged here, with a row this batch has written itself too.
        """
        key = row_key(partial)
        if key in self.summaries:
            self.summaries[key] = merge(self.summaries[key], partial)
            return
        held = self.corrections.get(key)
        self.corrections[key] = partial if held is None else merge(held, partial)

    def roll_up(self, source: RowRange, make: Callable[[Sequence[Summary]], list[Summary]], at_most: int) -> None:
        """Insert or replace the rows that `make` makes of the rows in `source`, in order; the step reads them.

        They are read with all that this step writes and corrects. `make` is a pure function. `at_most` so many rows
        are expected there: `rows_read_back` adds them up, so that a model can bound what a step reads.
        """
        self.roll_ups.append(RollUp(source, make))
        self.rows_read_back += at_most

    def emit(self, topic: str, key: str, event: Event) -> None:
        """Publish `event` on `topic` once the step has committed."""
        self.outputs.append(Output(topic, key, event))

    def set_timer(self, kind: str, key: str, due: float) -> None:
        """Set or move the timer (kind, key)."""
        self.timers[kind, key] = due

    def clear_timer(self, kind: str, key: str) -> None:
        """Remove the timer (kind, key), whether it is set or not."""
        self.timers[kind, key] = None

    def reject(self, index: int, reason: Reason, detail: str) -> None:
        """Refuse the event with this index: it becomes a dead letter and counts as invalid."""
        self.rejections.append(Rejection(index, reason, detail))

    def warn(self, sentence: str) -> None:
        """Let the worker log this for people, once the step has committed."""
        self.warnings.append(sentence)

    def count(self, name: str, by: int = 1) -> None:
        """Add to a figure of the lane, such as `windows_closed`; see `vigia/events/figures.py`."""
        self.counts[name] += by


def row_key(row: Summary) -> tuple[object, ...]:
    """Return (table, primary key values): what identifies a summary row."""
    return _key_getter(type(row))(row)


@cache
def _key_getter(kind: type[Summary]) -> Callable[[Summary], tuple[object, ...]]:
    return attrgetter("__class__.__name__", *kind.primary_key)


class Model(Protocol[S, E]):
    """What every model implements; `models/` has one class for each agent.

    Laws, tested for every model: the same input gives the same output; a batch split anywhere gives the same states and
    effects as the whole (up to corrections merged later); the order of events of different keys does not matter; states
    survive `dump` and `load`; nothing is ever NaN; a state key tells the key of its records.
    """

    name: str
    schema: int
    """Schema version of the states that `dump` writes."""

    def keys(self, events: "list[E]") -> set[str]:
        """Return the state keys that applying `events` may read or put."""

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        """Return the state keys that firing `timer` may read or put; at least one."""

    def record_key(self, state_key: str) -> str:
        """Return the Kafka key of the records whose events read or put the state under `state_key`.

        It decides in which lane the state lies, and where it goes when partitions are added. A timer lies where the
        states of its `timer_keys` do.
        """

    def load(self, key: str, schema: int, body: bytes) -> S:
        """Return the state from its stored form; reads schema versions `schema` and `schema - 1`."""

    def dump(self, key: str, state: S) -> bytes:
        """Return the stored form of a state: plain data, deterministic."""

    def apply(self, events: "list[E]", times: list[float], states: States[S], changes: Changes) -> None:
        """Apply `events` in order; `times[i]` is the Kafka time of `events[i]` in epoch seconds."""

    def fire(self, timer: Timer, clock: float, states: States[S], changes: Changes) -> None:
        """The lane's clock has reached `clock` >= `timer.due`. The timer is gone unless it is set again."""

    def merge(self, row: Summary, partial: Summary) -> Summary:
        """Return a summary row with a later correction merged in."""
