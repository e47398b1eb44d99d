"""The laws that every model keeps, and a lane to try them in: batches, ticks, states that go through their stored form.

To put a model under the laws, add a file `cases_<model>.py` beside this one with a list `CASES`; `test_model_laws.py`
finds it. A script is what happens in a lane, in order: events with their Kafka times, and ticks of its clock.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from tests.support.fakes.summaries import rows_in
from vigia.events.effects import Changes, Model, Output, States, Timer, row_key
from vigia.events.summaries import SUMMARIES, Summary

START = 1_700_000_040.0
"""Kafka time at the beginning of every script: a full minute."""


class Sent(NamedTuple):
    """An event and its Kafka time."""

    event: Any
    time: float


class Tick(NamedTuple):
    """The lane's clock says so."""

    clock: float


Script = Sequence[Sent | Tick]


@dataclass(frozen=True)
class ModelCase:
    """One model under the laws: how to make it, and a strategy of events around START."""

    name: str
    make: Callable[[], Model[Any, Any]]
    events: st.SearchStrategy[Any]
    pauses: Sequence[float] = (0.0, 0.5, 20.0, 70.0, 4_000.0)
    """Seconds that may pass between two items of a script."""

    def scripts(self, max_size: int = 40, ticks: bool = True) -> st.SearchStrategy[Script]:
        """Return a strategy of scripts whose Kafka times do not fall."""
        events = self.events.map(lambda event: (event,))
        step = st.tuples(st.sampled_from(self.pauses), events | st.just(()) if ticks else events)
        return st.lists(step, max_size=max_size).map(_script)


def _script(steps: Iterable[tuple[float, tuple[Any, ...]]]) -> Script:
    script: list[Sent | Tick] = []
    clock = START
    for pause, event in steps:
        clock += pause
        script.append(Sent(event[0], clock) if event else Tick(clock))
    return script


@dataclass
class Lane:
    """What a lane keeps. With `reload`, states go through their stored form after each batch, as after a restart."""

    model: Model[Any, Any]
    reload: bool = True
    states: dict[str, Any] = field(default_factory=dict)
    rows: dict[tuple[object, ...], Summary] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    timers: dict[tuple[str, str], float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    rejections: list[tuple[int, str]] = field(default_factory=list)
    taken: int = 0

    def run(self, script: Script, cuts: Iterable[int] = ()) -> "Lane":
        """Play a script: the events between two ticks are one batch, but for the cuts (positions in the script)."""
        batch: list[Sent] = []
        cut_at = set(cuts)
        for position, item in enumerate(script):
            if position in cut_at or isinstance(item, Tick):
                self.apply(batch)
                batch = []
            if isinstance(item, Tick):
                self.tick(item.clock)
            else:
                batch.append(item)
        self.apply(batch)
        return self

    def apply(self, batch: Sequence[Sent]) -> None:
        """Apply one batch as one step."""
        if not batch:
            return
        states = self._load(self.model.keys([sent.event for sent in batch]))
        changes = Changes()
        self.model.apply([sent.event for sent in batch], [sent.time for sent in batch], states, changes)
        self._commit(states, changes)
        self.taken += len(batch)

    def tick(self, clock: float) -> None:
        """Fire what is due, earliest first."""
        while due := sorted((at, *name) for name, at in self.timers.items() if at <= clock):
            at, kind, key = due[0]
            del self.timers[kind, key]
            timer = Timer(kind, key, at)
            states, changes = self._load(self.model.timer_keys(timer)), Changes()
            self.model.fire(timer, clock, states, changes)
            self._commit(states, changes)

    def dumped(self) -> dict[str, bytes]:
        """The stored form of every state."""
        return {key: self.model.dump(key, state) for key, state in sorted(self.states.items())}

    def seen(self) -> dict[str, Any]:
        """Everything that can be seen of the lane, to compare two runs by."""
        return {
            "states": self.dumped(),
            "rows": self.rows,
            "outputs": self.outputs,
            "timers": self.timers,
            "counts": dict(self.counts),
            "rejections": self.rejections,
        }

    def _load(self, keys: Iterable[str]) -> States[Any]:
        return States({key: self.states.get(key) for key in keys})

    def _commit(self, states: States[Any], changes: Changes) -> None:
        for key, state in states.items_changed():
            if state is None:
                self.states.pop(key, None)
            elif self.reload:
                self.states[key] = self.model.load(key, self.model.schema, self.model.dump(key, state))
            else:
                self.states[key] = state
        self.rows |= changes.summaries
        for name, partial in changes.corrections.items():
            self.rows[name] = self.model.merge(self.rows[name], partial) if name in self.rows else partial
        for kind in SUMMARIES:
            for each in changes.roll_ups:
                if each.source.kind is kind:
                    self.rows.update((row_key(row), row) for row in each.make(rows_in(self.rows, each.source)))
        self.outputs += changes.outputs
        for timer, due in changes.timers.items():
            if due is None:
                self.timers.pop(timer, None)
            else:
                self.timers[timer] = due
        self.counts.update(changes.counts)
        self.rejections += [(self.taken + each.index, each.reason) for each in changes.rejections]
        assert all(key == row_key(row) for key, row in self.rows.items())


def not_a_number(value: object, path: str = "") -> list[str]:
    """Return where in plain data or Structs a float is NaN."""
    if isinstance(value, float):
        return [path] if math.isnan(value) else []
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in not_a_number(each, f"{path}.{key}")]
    if isinstance(value, list | tuple | Counter):
        return [found for index, each in enumerate(value) for found in not_a_number(each, f"{path}[{index}]")]
    if isinstance(value, msgspec.Struct):
        return not_a_number(msgspec.structs.asdict(value), f"{path}/{type(value).__name__}")
    return []


def swapped(model: Model[Any, Any], script: Script, positions: Iterable[int]) -> Script:
    """Return the script with neighbours swapped at `positions`, where their events share no key."""
    result = list(script)
    for position in positions:
        first, second = result[position : position + 2]
        if isinstance(first, Tick) or isinstance(second, Tick):
            continue
        if not model.keys([first.event]) & model.keys([second.event]):
            result[position : position + 2] = [second, first]
    return result
