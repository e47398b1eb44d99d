"""A model behind the guard: what a sender says beyond its limit, or of what it may not speak of, is refused; the rest
goes on to the model.

How much was said is counted in a state beside the model's own, by the records' Kafka time, so that a rebuild counts the
same. There is one for each entry of the rules and each key of the lane (team or AI agent), however many names senders
think of. What may surprise: the states of the model are all there is to know what belongs to which service. What comes
before its deployment is judged by the service that it names.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec

from vigia.events.effects import Changes, Model, Output, Rejection, States, Timer
from vigia.events.feedback import DecisionFeedback
from vigia.events.figures import FEEDBACK_OVER_LIMIT
from vigia.events.identity import derive_id
from vigia.events.invalid import Reason
from vigia.events.summaries import SenderSurplusSummary, Summary
from vigia.models.guard.guard import KIND_OF, Entry, Guard

DAY = 86_400
SENDER = "sender:"
"""How the keys of the counts begin."""

ServicesOf = Callable[[Any, States[Any]], Iterable[str]]


class Said(msgspec.Struct, array_like=True):
    """How much was said on one day (its number since 1970, UTC): what was taken, and what was refused beyond that."""

    day: int = 0
    taken: int = 0
    surplus: int = 0


class GuardedModel:
    """A model, and the guard before it.

    `counted_by` is the field of feedback whose value is the lane's key: `scope`, or `agent` for judgements where their
    decisions are; empty where no feedback is read. `services_of` tells from the model's states which services an event
    concerns.
    """

    def __init__(
        self,
        model: Model[Any, Any],
        guard: Guard,
        counted_by: Literal["scope", "agent", ""] = "",
        services_of: ServicesOf | None = None,
    ) -> None:
        self.name = model.name
        self.schema = model.schema
        self._model = model
        self._guard = guard
        self._counted_by = counted_by
        self._services_of = services_of
        if hasattr(model, "dump_previous"):
            # not a method of every guarded model: that there is one says that the model has such a form
            self.dump_previous = self._dump_previous

    def keys(self, events: list[Any]) -> set[str]:
        return self._model.keys(events) | {key for event in events for key in self._count_keys(event)}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return self._model.timer_keys(timer)

    def record_key(self, state_key: str) -> str:
        if state_key.startswith(SENDER):
            # what follows the lane's key has no colon
            return state_key.removeprefix(SENDER).rpartition(":")[0]
        return self._model.record_key(state_key)

    def load(self, key: str, schema: int, body: bytes) -> Any:
        if not key.startswith(SENDER):
            return self._model.load(key, schema, body)
        try:
            return _SAID.decode(body)
        except msgspec.DecodeError as error:
            raise ValueError(f"the state of {key} is not whole: {error}") from error

    def dump(self, key: str, state: Any) -> bytes:
        return msgspec.msgpack.encode(state) if key.startswith(SENDER) else self._model.dump(key, state)

    def _dump_previous(self, key: str, state: Any) -> bytes:
        model: Any = self._model
        return self.dump(key, state) if key.startswith(SENDER) else bytes(model.dump_previous(key, state))

    def apply(self, events: list[Any], times: list[float], states: States[Any], changes: Changes) -> None:
        said, refused = len(changes.outputs), len(changes.rejections)
        kept: list[int] = []
        for index, (event, time) in enumerate(zip(events, times, strict=True)):
            if self._services_of is not None and self._guard.binds(event):
                # what was told before it, in this batch or an earlier one, says what belongs to which service
                self._pass_on(kept, events, times, states, changes)
                kept = []
                if beyond := self._guard.beyond(event, self._services_of(event, states), time):
                    changes.reject(index, Reason.NOT_ALLOWED, beyond)
                    continue
            if not self._is_over_limit(index, event, time, states, changes):
                kept.append(index)
        self._pass_on(kept, events, times, states, changes)
        # in the order of the records, however they were cut into batches
        changes.rejections[refused:] = sorted(changes.rejections[refused:], key=lambda each: each.index)
        self._sign(changes, said, events)

    def fire(self, timer: Timer, clock: float, states: States[Any], changes: Changes) -> None:
        said = len(changes.outputs)
        self._model.fire(timer, clock, states, changes)
        self._sign(changes, said)

    def merge(self, row: Summary, partial: Summary) -> Summary:
        return self._model.merge(row, partial)

    def _pass_on(
        self, kept: list[int], events: list[Any], times: list[float], states: States[Any], changes: Changes
    ) -> None:
        before = len(changes.rejections)
        if kept:
            self._model.apply([events[i] for i in kept], [times[i] for i in kept], states, changes)
        changes.rejections[before:] = [
            Rejection(kept[each.index], each.reason, each.detail) for each in changes.rejections[before:]
        ]

    def _is_over_limit(self, index: int, event: Any, time: float, states: States[Any], changes: Changes) -> bool:
        """Count the event; refuse it when its sender has said enough."""
        limited = self._guard.limit_of(event, time)
        keys = self._count_keys(event)
        if limited is None or not keys:
            return False
        (key,), (entry, most) = keys, limited
        said: Said = states.get(key) or Said()
        # Kafka time may step back between topics of a lane: then it still counts on the later day
        day = max(said.day, int(time // DAY))
        if day > said.day:
            said = Said(day)
        if said.taken < most:
            states.put(key, Said(day, said.taken + 1, said.surplus))
            return False
        said = Said(day, said.taken, said.surplus + 1)
        states.put(key, said)
        self._tell(entry, most, self.record_key(key), said, changes)
        detail = f"{entry.name} has said {most} things of {self.record_key(key)!r} this day, as many as it may"
        changes.reject(index, Reason.OVER_LIMIT, detail)
        return True

    def _tell(self, entry: Entry, most: int, record_key: str, said: Said, changes: Changes) -> None:
        changes.count(FEEDBACK_OVER_LIMIT)
        row = SenderSurplusSummary(
            day=said.day,
            counted_by=self._counted_by,
            record_key=record_key,
            sender=entry.name,
            a_day=most,
            surplus=said.surplus,
        )
        changes.write(row)
        if said.surplus == 1:
            changes.warn(
                f"{entry.name} has said more than {most} things a day of {self._counted_by} {record_key!r}: "
                "the rest of the day becomes dead letters"
            )

    def _count_keys(self, event: Any) -> tuple[str, ...]:
        """Return the key of what counts the event, if anything does. A judgement counts where its decision is, once."""
        if not self._guard.counts or type(event) not in KIND_OF:
            return ()
        if isinstance(event, DecisionFeedback) != (self._counted_by == "agent"):
            return ()
        entry = self._guard.entry_of(event)
        if entry.rule.a_day is None:
            return ()
        return (f"{SENDER}{getattr(event, self._counted_by)}:{derive_id('sender', entry.name)}",)

    def _sign(self, changes: Changes, since: int, events: Sequence[Any] = ()) -> None:
        """Sign what the model itself says, which is not what it passes on."""
        passed_on = {id(event) for event in events}
        changes.outputs[since:] = [
            each if id(each.event) in passed_on else Output(each.topic, each.key, self._guard.signed(each.event))
            for each in changes.outputs[since:]
        ]


_SAID = msgspec.msgpack.Decoder(Said)
