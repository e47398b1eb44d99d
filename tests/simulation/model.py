"""The fakes' model, with shorter waits, and notes on which it fails a few times only."""

from typing import TYPE_CHECKING

from tests.support.fakes.notes import BoomError, Note, NotesModel, Tally, _window
from vigia.events.effects import Changes, States, Timer

if TYPE_CHECKING:
    from tests.simulation.world import World

AGAIN_AFTER = 1.5
FLAKY = "flaky"
"""Ids of notes that the model fails on for a while begin with this."""


class SimulatedModel(NotesModel):
    """Implements `vigia.events.effects.Model`."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def apply(self, events: list[Note], times: list[float], states: States[Tally], changes: Changes) -> None:
        for note in events:
            if note.event_id.startswith(FLAKY) and self._world.fails_on(note.event_id):
                raise BoomError(f"the model cannot take {note.event_id!r} just now")
        super().apply(events, times, states, changes)

    def fire(self, timer: Timer, clock: float, states: States[Tally], changes: Changes) -> None:
        if timer.kind != "wake twice":
            super().fire(timer, clock, states, changes)
            return
        super().fire(Timer("wake", timer.key, timer.due), clock, states, changes)
        changes.set_timer("wake", timer.key, timer.due + AGAIN_AFTER)


__all__ = ["AGAIN_AFTER", "FLAKY", "SimulatedModel", "_window"]
