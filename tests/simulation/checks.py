"""What must hold once a world is at rest. Each check says what is wrong, in one line, or nothing."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.model import FLAKY
from tests.simulation.recount import Place, Recount
from tests.simulation.reference import CLUSTER, Reference, encoded
from tests.simulation.stores import content
from tests.support.fakes.notes import Note, Tally
from vigia.events.identity import content_hash, derive_id
from vigia.events.summaries import WindowSummary
from vigia.stores.base import LaneId, RawRecord, StepRow
from vigia.streaming.batches import TICK_HEADER
from vigia.streaming.compute import seen_id

if TYPE_CHECKING:
    from tests.simulation.world import World


def wrong_in(world: "World") -> list[str]:
    """Everything that is wrong, the earliest checks first; the later ones take for granted what those check."""
    for check in CHECKS:
        found = list(check(world))
        if found:
            return found
    return []


def _raw_log(world: "World") -> Iterator[str]:
    """Complete, and each record once, as it was read."""
    kept = world.raw_log.records
    sent = {
        (CLUSTER, topic, number, record.offset): record
        for (topic, number), log in world.broker.logs.items()
        for record in log
    }
    if kept != sent:
        lost, made_up = sorted(sent.keys() - kept.keys()), sorted(kept.keys() - sent.keys())
        yield f"the raw log lacks {lost} and has beyond {made_up}, or has other content"


def _steps(world: "World") -> Iterator[str]:
    """The steps of a lane are numbered without a gap, and cover every record of its topics once, in order."""
    for number in range(world.broker.partitions):
        lane = LaneId("notes", number)
        steps = world.summaries.step_rows[lane]
        if [step.sequence for step in steps] != list(range(1, len(steps) + 1)):
            yield f"lane {number} has steps {[step.sequence for step in steps]}"
        for topic in world.topics:
            covered = [record.offset for step in steps if step.topic == topic.name for record in _of(world, lane, step)]
            offsets = [record.offset for record in world.broker.logs[topic.name, number]]
            if covered != offsets:
                yield f"the steps of {topic.name}/{number} cover {covered}, not {offsets}"


def _reference(world: "World") -> Iterator[str]:
    """Everything a lane has written equals the plain computation in the order of its steps."""
    topics = {topic.name: topic for topic in world.topics}
    published = {row.value for row in world.broker.published}
    for number in range(world.broker.partitions):
        lane = LaneId("notes", number)
        quarantined = {(topic, offset) for topic, partition, offset in _given_up(world) if partition == number}
        plain = Reference(number, world.broker.partitions, quarantined)
        for step in world.summaries.step_rows[lane]:
            plain.step(topics[step.topic], step, _of(world, lane, step))
        yield from _different(world, lane, plain)
        for output in plain.outputs:
            if output[2] not in published:
                yield f"never published: {output}"


def _different(world: "World", lane: LaneId, plain: Reference) -> Iterator[str]:
    store = world.summaries
    states = {key: _tally(row.body) for key, row in store.states[lane].items()}
    services = {derive_id("notes", name): name for name in plain.states.keys() | {name for name, _ in plain.rows}}
    rows = {
        (services[row.series_id], row.start): (row.count, row.sum, row.late)
        for row in store.summary_rows.values()
        if isinstance(row, WindowSummary) and row.series_id in services
    }
    seen = {seen_id(*which): content_hash(what) for which, what in plain.seen.items()}
    letters = [
        (letter.topic, letter.offset, letter.position, str(letter.reason))
        for letter in store.letters.values()
        if letter.lane == lane
    ]
    totals = [(row.topic, row.key, row.value) for row in store.outputs[lane] if row.topic == "totals"]
    moved = [(row.key, row.value, row.headers[0][1]) for row in store.outputs[lane] if row.topic in world.broker.inputs]
    row = store.lane_rows.get(lane)
    pairs: list[tuple[str, Any, Any]] = [
        ("states", states, plain.states),
        ("summaries", rows, plain.rows),
        ("timers", store.timers[lane], plain.timers),
        ("seen", {one: held[0] for one, held in store.seen[lane].items()}, seen),
        ("dead letters", sorted(letters), sorted(plain.letters)),
        ("outputs", totals, plain.outputs),
        ("moved", moved, plain.moved),
        ("clock", row.clock if row else 0.0, plain.clock),
        ("counts", {name: value for name, value in (row.counts if row else {}).items() if value}, +plain.counts),
    ]
    for what, found, expected in pairs:
        if found != expected:
            yield f"lane {lane.partition}: {what} are {_brief(found, expected)}"


def _outputs(world: "World") -> Iterator[str]:
    """Every output was published, with one content per id, and for the first time in the order of its lane."""
    published = [content(row) for row in world.broker.published]
    first: dict[Any, int] = {}
    for index, one in enumerate(published):
        first.setdefault(one, index)
    by_id: dict[tuple[bytes, str], bytes] = {}
    for _, key, value, _ in published:
        event = json.loads(value)
        # of its key: two services that were forgotten may come to the same chain
        name = key, event.get("chain") or event["letter_id"]
        if by_id.setdefault(name, value) != value:
            yield f"two outputs of {key!r} have the id {name[1]}"
    sent_on = {record.headers for log in world.broker.logs.values() for record in log}
    for lane, rows in world.summaries.outputs.items():
        last: dict[tuple[str, bytes], int] = {}
        for row in rows:
            if row.topic in world.broker.inputs:
                if row.headers not in sent_on:
                    yield f"lane {lane.partition}: output {row.number} was never sent on"
                continue
            index = first.get(content(row), -1)
            if index < last.get((row.topic, row.key), 0):
                yield f"lane {lane.partition}: output {row.number} of {row.topic} was published too early, or never"
            last[row.topic, row.key] = index


def _figures(world: "World") -> Iterator[str]:
    """What does not depend on the order equals what was sent, and nothing vanished between the figures."""
    recount = Recount()
    given_up = _given_up(world)
    recount.add({topic.name: topic for topic in world.topics}, world.broker.partitions, world.sent, given_up)
    counts: Counter[str] = Counter()
    for row in world.summaries.lane_rows.values():
        counts.update(row.counts)
    for topic in world.topics:
        figures = {name: counts[f"{topic.name}.{name}"] for name in ("in", "applied", "duplicate", "invalid", "moved")}
        if figures.pop("in") != sum(figures.values()):
            yield f"{topic.name}: in is not the sum of {figures}"
    total = {name: sum(counts[f"{topic.name}.{name}"] for topic in world.topics) for name in ("applied", "moved")}
    if (applied := sum(recount.applied.values())) != total["applied"] or applied != counts["noted"]:
        yield f"{total['applied']} and {counts['noted']} samples were applied, of {applied}"
    if recount.moved != total["moved"]:
        yield f"{total['moved']} samples were moved, of {recount.moved}"
    healthy = given_up - {place for place in given_up if _is_poison(world, place)}
    if healthy:
        yield f"set aside, and nothing is wrong with them: {sorted(healthy)}"
    if recount.poisoned - given_up:
        yield f"not set aside: {sorted(recount.poisoned - given_up)}"
    ticks = sum(
        1 for log in world.broker.logs.values() for record in log if record.headers[:1] == ((TICK_HEADER, b"1"),)
    )
    if ticks > MOST_TICKS:
        yield f"{ticks} ticks were sent"


MOST_TICKS = 300
"""Ticks in a world that would be a storm."""

CHECKS: list[Callable[["World"], Iterator[str]]] = [_raw_log, _steps, _reference, _outputs, _figures]


def _given_up(world: "World") -> set[Place]:
    return {
        (letter.topic, letter.lane.partition, letter.offset)
        for letter in world.summaries.letters.values()
        if letter.reason == "model_error" and letter.position >= 0
    }


def _is_poison(world: "World", place: Place) -> bool:
    topic, partition, offset = place
    (record,) = (one for one in world.broker.logs[topic, partition] if one.offset == offset)
    notes = next(one for one in world.topics if one.name == topic).decode(record.value)
    return any(isinstance(note, Note) and (note.do == "boom" or note.event_id.startswith(FLAKY)) for note in notes)


def _of(world: "World", lane: LaneId, step: StepRow) -> list[RawRecord]:
    log = world.broker.logs[step.topic, lane.partition]
    return [record for record in log if step.first_offset <= record.offset <= step.last_offset]


def _tally(body: bytes | None) -> tuple[int, int, int, str]:
    tally = msgspec.msgpack.decode(body or b"", type=Tally)
    return tally.total, tally.applied, tally.fired, tally.chain


def _brief(found: Any, expected: Any) -> str:
    """What differs, of two mappings or lists."""
    if isinstance(found, dict):
        keys = sorted((key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)), key=repr)
        found, expected = ({key: held.get(key) for key in keys} for held in (found, expected))
    elif isinstance(found, list):
        both = set(found) & set(expected)
        found, expected = ([one for one in held if one not in both] or held for held in (found, expected))
    return f"{found}, and should be {expected}"


__all__ = ["encoded", "wrong_in"]
