"""The pure middle of a step: repeats are told apart, the model runs, and all effects are put into one commit.

No I/O and no clock: the same inputs give the same commit, which is what a rebuild relies on.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from vigia.events.dead_letter import DeadLetter
from vigia.events.effects import Changes, RollUp, States, Timer, row_key
from vigia.events.figures import topic_figure
from vigia.events.identity import content_hash, derive_id
from vigia.events.invalid import BY_RULE, Invalid, Reason
from vigia.events.signing import without_signature
from vigia.events.summaries import Summary
from vigia.stores.base import DeadLetterRow, LaneRow, OutboxRow, SeenRow, StateRow, StepCommit, StepRow
from vigia.streaming.batches import Batch, cut_at
from vigia.streaming.dead_letters import dead_letter_event, dead_letter_row, timer_letter_row
from vigia.streaming.flood import FloodCounters, FloodLimits
from vigia.streaming.forms import Forms
from vigia.streaming.intake import Refused, Taken, encoded
from vigia.streaming.route import Route

DEAD_LETTERS = "dead-letters"
FORGET_EVERY = 5
"""Steps between deletions of old `seen` rows. The store deletes at least 10,000 at once, and twice as many as the step
writes."""
FORGET_BEYOND = 2_000
"""A step that remembers more ids than this deletes old ones too, so that it never adds more than goes."""


class TimerFailedError(Exception):
    """The model, or a state that it needs, failed on timers: no event of the batch is to blame.

    `failed` are those that are known to, with how; there may be more under the same keys.
    """

    def __init__(self, failed: Mapping[Timer, Exception]) -> None:
        first = next(iter(failed))
        others = f", and {len(failed) - 1} others" if len(failed) > 1 else ""
        super().__init__(f"timer {first.kind} of {first.key!r}, due at {first.due:.3f}{others}")
        self.failed = failed


class TakenForRepeatsError(Exception):
    """Events were taken for repeats of ones that the model then refused, and a refused one is not remembered.

    `parts` are the batch, cut so that each is in a later part than the one that it was taken for a repeat of.
    """

    def __init__(self, parts: Sequence[Batch]) -> None:
        super().__init__(f"to be taken in {len(parts)} parts")
        self.parts = parts


@dataclass(frozen=True, slots=True)
class StepLimits:
    """Settings that a step's outcome depends on."""

    flood: FloodLimits
    seen_horizon: float
    """Seconds for which an event id is remembered."""
    forms: Forms = field(default_factory=Forms)
    """In which form states are written. No figure depends on it: every form of a state says the same."""


@dataclass(slots=True)
class Fresh:
    """The events of a batch that are no repeats, and what became of the others. `record_of[i]` and `position_of[i]` are
    the place of `events[i]`; `seen[i]` is how it will be remembered, `seen` empty when none of them will.
    """

    events: list[Any] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    record_of: list[int] = field(default_factory=list)
    position_of: list[int] = field(default_factory=list)
    seen: list[SeenRow | None] = field(default_factory=list)
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    """The places of the repeats."""
    duplicate_weight: int = 0
    repeated: list[tuple[int, int]] = field(default_factory=list)
    """Of each event that has the id of an earlier one in this batch: the index of that one, and its own record."""


def seen_id(key: str, identity: str) -> bytes:
    """Return under which id an event is remembered: event ids are unique only within their key."""
    return bytes.fromhex(derive_id("seen", key, identity))


def seen_ids(route: Route, taken: Taken) -> list[bytes]:
    """Return the ids to look up for a batch, sorted."""
    if not any(taken.identities):
        return []
    key_of = route.topic(taken.batch.topic).key_of
    pairs = zip(taken.events, taken.identities, strict=True)
    return sorted({seen_id(key_of(event), identity) for event, identity in pairs if identity})


def fresh_events(route: Route, taken: Taken, seen: Mapping[bytes, bytes]) -> Fresh:
    """Return the events that were not taken before. Same id and content: a duplicate. Other content: refused."""
    if not any(taken.identities):
        return Fresh(taken.events, taken.times, taken.record_of, taken.position_of)
    fresh = Fresh()
    known, index_of = dict(seen), dict[bytes, int]()
    key_of = route.topic(taken.batch.topic).key_of
    for event, time, record, position, identity in zip(
        taken.events, taken.times, taken.record_of, taken.position_of, taken.identities, strict=True
    ):
        row = None
        if identity:
            this = seen_id(key_of(event), identity)
            content = content_hash(encoded(without_signature(event)))
            before = known.get(this)
            if this in index_of:
                fresh.repeated.append((index_of[this], record))
            if before == content:
                fresh.duplicates.append((record, position))
                fresh.duplicate_weight += event.weight
                continue
            if before is not None:
                detail = (
                    f"event id {identity[:200]!r} was taken before with other content; "
                    "send a correction under an id of its own"
                )
                invalid = Invalid(Reason.CONFLICTING_ID, detail, encoded(event))
                taken.refused.append(Refused(record, position, invalid, event.weight))
                continue
            known[this] = content
            index_of[this] = len(fresh.events)
            row = SeenRow(this, content, time)
        fresh.events.append(event)
        fresh.times.append(time)
        fresh.record_of.append(record)
        fresh.position_of.append(position)
        fresh.seen.append(row)
    return fresh


def refuse_all(taken: Taken, why: str) -> None:
    """Turn every event of a batch into a refused one: the model failed on it too often."""
    for event, record, position in zip(taken.events, taken.record_of, taken.position_of, strict=True):
        taken.refused.append(Refused(record, position, Invalid(Reason.MODEL_ERROR, why, encoded(event)), event.weight))
    columns = (taken.events, taken.times, taken.occurred, taken.found_under, taken.record_of, taken.position_of)
    for kept in (*columns, taken.identities):
        kept.clear()


def check_repeats(taken: Taken, fresh: Fresh, changes: Changes) -> None:
    """Raise TakenForRepeatsError when the model has refused an event that a later record was taken for a repeat of.

    Events of one record cannot be told apart in this way: they are one sender's, and their first one counts.
    """
    if not (fresh.repeated and changes.rejections):
        return
    refused = {rejection.index for rejection in changes.rejections}
    cuts: list[int] = []
    for first, record in fresh.repeated:
        # in the order of the records: the latest cut is the only one that may lie between the two
        between = cuts and fresh.record_of[first] < cuts[-1]
        if first in refused and fresh.record_of[first] < record and not between:
            cuts.append(record)
    if cuts:
        raise TakenForRepeatsError(cut_at(taken.batch, cuts))


def run_model(route: Route, fresh: Fresh, timers: Sequence[Timer], clock: float, states: States[Any]) -> Changes:
    """Apply the events, then fire the timers that the batch's clock has passed.

    Timers come last: whatever arrived before the clock passed them has been seen by then, so a backlog closes nothing
    early. Raises TimerFailedError when the model fails on timers: all of them are looked for at once, since whoever
    sets them aside begins anew after each look.
    """
    changes = Changes()
    failed, spoiled = dict[Timer, Exception](), set[str]()
    if fresh.events:
        route.model.apply(fresh.events, fresh.times, states, changes)
    for timer in timers:
        if (timer.kind, timer.key) in changes.timers:
            continue  # an event of this batch has moved or cleared it
        if failed and not spoiled.isdisjoint(route.model.timer_keys(timer)):
            continue  # what another one has left half done is nothing to judge it by
        changes.timers[timer.kind, timer.key] = None
        try:
            route.model.fire(timer, clock, states, changes)
        except Exception as error:  # noqa: BLE001 - raised below, with those of the other timers
            failed[timer] = error
            spoiled.update(route.model.timer_keys(timer))
    if failed:
        raise TimerFailedError(failed) from next(iter(failed.values()))
    return changes


def merged(
    route: Route, changes: Changes, existing: Mapping[tuple[object, ...], Summary]
) -> dict[tuple[object, ...], Summary]:
    """Return the summary rows to write by their key, with corrections merged into the rows that exist."""
    rows = dict(changes.summaries)
    for key, partial in changes.corrections.items():
        before = rows.get(key) or existing.get(key)
        rows[key] = partial if before is None else route.model.merge(before, partial)
    return rows


def roll_up(
    rolled: Sequence[RollUp], existing: Sequence[Sequence[Summary]], rows: dict[tuple[object, ...], Summary]
) -> None:
    """Add to `rows`, those that the step writes, the rows made of others; `existing[i]` are the sources of `rolled[i]`
    that the store has.
    """
    kinds = {each.source.kind for each in rolled}
    # what this step writes of each series, or whatever else the keys begin with
    written: defaultdict[tuple[object, ...], list[tuple[object, ...]]] = defaultdict(list)
    for key, row in rows.items():
        if type(row) in kinds:
            written[key[:-1]].append(key)
    for each, stored in zip(rolled, existing, strict=True):
        source = {row_key(row): row for row in stored}
        for key in written.get((each.source.kind.__name__, *each.source.leading), ()):
            last: Any = key[-1]
            if each.source.first <= last < each.source.end:
                source[key] = rows[key]
        ordered: list[Any] = sorted(source)
        rows.update((row_key(row), row) for row in each.make([source[key] for key in ordered]))


@dataclass(frozen=True, slots=True)
class Computed:
    """What came of a batch before it is committed. `dropped` are the timers that the model failed on too often, and
    why.
    """

    taken: Taken
    fresh: Fresh
    changes: Changes
    states: States[Any]
    summaries: Sequence[Summary]
    dropped: Mapping[Timer, str] = field(default_factory=dict)


def build_commit(row: LaneRow, route: Route, computed: Computed, limits: StepLimits) -> StepCommit:
    """Return everything that the step writes."""
    taken, fresh, changes = computed.taken, computed.fresh, computed.changes
    refused = list(taken.refused)
    rejected = {rejection.index for rejection in changes.rejections}
    for rejection in changes.rejections:
        event, place = fresh.events[rejection.index], _place(fresh, rejection.index)
        refused.append(Refused(*place, Invalid(rejection.reason, rejection.detail, encoded(event)), event.weight))
    refused.sort(key=lambda one: (one.record, one.position))
    batch, clock = taken.batch, max(row.clock, taken.clock)
    letters = [dead_letter_row(row.lane, row.cluster_id, batch, one) for one in refused]
    letters += [timer_letter_row(row.lane, row.cluster_id, batch, *one) for one in computed.dropped.items()]
    outbox = _outbox(row, taken, changes, letters)
    flood = _flood(row, fresh, rejected, refused, limits.flood)
    seen = [one for index, one in enumerate(fresh.seen) if one is not None and index not in rejected]
    step = row.step + 1
    forget = step % FORGET_EVERY == 0 or len(seen) > FORGET_BEYOND
    lane = msgspec.structs.replace(
        row,
        version=row.version + 1,
        step=step,
        offsets={**row.offsets, batch.topic: batch.next_offset},
        clock=clock,
        outbox_next=row.outbox_next + len(outbox),
        counts=_counts(row, taken, fresh, refused, changes),
        flood_seen=flood.seen,
        flood_invalid=flood.invalid,
        flood_run=flood.run,
        stopped=flood.verdict(limits.flood),
    )
    return StepCommit(
        lane=lane,
        expected_version=row.version,
        step=StepRow(step, batch.topic, row.cluster_id, batch.records[0].offset, batch.records[-1].offset, clock),
        states=_state_rows(route, computed.states, limits.forms),
        summaries=computed.summaries,
        timers_set=[Timer(kind, key, due) for (kind, key), due in sorted(changes.timers.items()) if due is not None],
        timers_cleared=sorted(pair for pair, due in changes.timers.items() if due is None),
        seen=seen,
        outbox=outbox,
        dead_letters=letters,
        forget_seen_before=clock - limits.seen_horizon if forget else None,
    )


def _state_rows(route: Route, states: States[Any], forms: Forms) -> list[StateRow]:
    return [forms.state_row(route, key, state) for key, state in states.items_changed()]


def _outbox(row: LaneRow, taken: Taken, changes: Changes, letters: Sequence[DeadLetterRow]) -> list[OutboxRow]:
    number = row.outbox_next
    rows: list[OutboxRow] = []
    for output in changes.outputs:
        rows.append(OutboxRow(number + len(rows), output.topic, output.key.encode(), encoded(output.event)))
    for moved in taken.moved:
        rows.append(msgspec.structs.replace(moved, number=number + len(rows)))
    for letter in letters:
        event: DeadLetter = dead_letter_event(letter)
        rows.append(OutboxRow(number + len(rows), DEAD_LETTERS, letter.topic.encode(), encoded(event)))
    return rows


def _flood(
    row: LaneRow, fresh: Fresh, rejected: Collection[int], refused: Sequence[Refused], limits: FloodLimits
) -> FloodCounters:
    """Count events, not what they weigh: one packed message must not outweigh a thousand refused ones. What nobody
    needs counts neither way: a webhook of all events of a tool is no sign that the others are wrong, or right. Nor does
    what a sender was not allowed to say: nobody else's events may wait for it.
    """
    invalid = [one for one in refused if not one.invalid.unneeded and one.invalid.reason not in BY_RULE]
    applied = (index for index in reversed(range(len(fresh.events))) if index not in rejected)
    last_valid = max([_place(fresh, index) for index in islice(applied, 1)] + fresh.duplicates, default=(-1, -1))
    trailing = sum(1 for one in invalid if (one.record, one.position) > last_valid)
    valid = len(fresh.events) - len(rejected) + len(fresh.duplicates)
    return FloodCounters.of(row).after(valid, len(invalid), trailing, limits)


def _place(fresh: Fresh, index: int) -> tuple[int, int]:
    return fresh.record_of[index], fresh.position_of[index]


def _counts(row: LaneRow, taken: Taken, fresh: Fresh, refused: Sequence[Refused], changes: Changes) -> dict[str, int]:
    counts = Counter(row.counts)
    invalid = sum(one.weight for one in refused)
    figures = {
        "in": taken.weight,
        "applied": taken.weight - fresh.duplicate_weight - invalid - taken.moved_weight,
        "duplicate": fresh.duplicate_weight,
        "invalid": invalid,
        "moved": taken.moved_weight,
        "ticks": taken.ticks,
    }
    for figure, value in figures.items():
        counts[topic_figure(taken.batch.topic, figure)] += value
    counts.update(changes.counts)
    return dict(sorted(counts.items()))
