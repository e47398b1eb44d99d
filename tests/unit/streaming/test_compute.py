"""The pure middle of a step: repeats, rejections, timers, corrections, counts and ids."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes.notes import START, Note, NotesModel, Tally, encode
from tests.support.fakes.world import CLUSTER
from tests.unit.streaming.computing import LANE, RIGHT, WRONG, Computing, batch, of, record
from tests.unit.streaming.histories import sendings
from vigia.events.effects import Timer
from vigia.events.invalid import Reason
from vigia.events.summaries import WindowSummary
from vigia.stores.base import StepCommit
from vigia.stores.sql.states import FORGET_AT_ONCE
from vigia.streaming.batches import ORIGIN_HEADER, TICK_HEADER
from vigia.streaming.compute import FORGET_BEYOND, FORGET_EVERY

ONE = Note(service=RIGHT[0], event_id="a")


def tally(lane: Computing, service: str = RIGHT[0]) -> Tally:
    stored = lane.store.states[LANE][service]
    assert stored.body is not None
    return NotesModel().load(service, stored.schema, stored.body)


def reasons(commit: StepCommit) -> list[str]:
    return [letter.reason for letter in commit.dead_letters]


def tick(at: float, offset: int = 0) -> Any:
    return batch(record(b"", None, offset, at=at, headers=[(TICK_HEADER, b"1")]))


# ------------------------------------------------------------------------------------------------------------- repeats


@pytest.mark.parametrize("cut", ["within one batch", "across batches"])
def test_the_same_event_again_is_counted_as_duplicate_and_not_applied(cut):
    lane = Computing()
    lane.applied(*([of(ONE, ONE)] if cut == "within one batch" else [of(ONE), of(ONE, offset=1)]))
    assert (lane.count("in"), lane.count("applied"), lane.count("duplicate")) == (2, 1, 1)
    assert tally(lane).applied == 1
    assert lane.store.letters == {}


@pytest.mark.parametrize("cut", ["within one batch", "across batches"])
def test_the_same_id_with_other_content_is_refused(cut):
    other = msgspec.structs.replace(ONE, amount=2, samples=4)
    lane = Computing()
    commits = lane.applied(*([of(ONE, other)] if cut == "within one batch" else [of(ONE), of(other, offset=1)]))
    assert reasons(commits[-1]) == [Reason.CONFLICTING_ID]
    assert (lane.count("in"), lane.count("applied"), lane.count("invalid")) == (5, 1, 4)
    assert tally(lane).total == 1


def test_the_same_id_under_two_keys_is_two_events():
    lane = Computing()
    lane.apply(of(ONE, msgspec.structs.replace(ONE, service=RIGHT[1])))
    assert (lane.count("applied"), lane.count("duplicate")) == (2, 0)


def test_events_without_ids_count_as_often_as_they_are_sent():
    lane = Computing()
    lane.applied(of(Note(service=RIGHT[0]), Note(service=RIGHT[0])), of(Note(service=RIGHT[0]), offset=2))
    assert tally(lane).applied == 3
    assert lane.store.seen[LANE] == {}


@pytest.mark.parametrize("cut", ["within one batch", "across batches"])
def test_a_record_without_id_that_was_sent_on_twice_is_applied_once(cut):
    origin = [(ORIGIN_HEADER, f"{CLUSTER}/notes/2/7/0".encode())]
    sent_on = record(encode(Note(service=RIGHT[0])), RIGHT[0], headers=origin)
    again = msgspec.structs.replace(sent_on, offset=1)
    lane = Computing()
    lane.applied(*([batch(sent_on, again)] if cut == "within one batch" else [batch(sent_on), batch(again)]))
    assert (lane.count("applied"), lane.count("duplicate")) == (1, 1)


def test_a_place_in_a_broker_started_anew_is_another_place():
    stray = record(encode(Note(service=WRONG[0])), None)
    origins = []
    for cluster in ("embedded-1", "embedded-2"):
        lane = Computing()
        lane.row = msgspec.structs.replace(lane.row, cluster_id=cluster)
        origins.append(lane.compute(batch(stray)).outbox[0].headers)
    assert origins[0] != origins[1]


def test_an_id_that_is_older_than_the_horizon_may_be_forgotten():
    lane = Computing(seen_horizon=100.0)
    lane.apply(of(ONE))
    for step in range(FORGET_EVERY):
        lane.apply(tick(START + 100 * step, offset=step + 1))
    assert lane.row.step == FORGET_EVERY + 1
    assert lane.store.seen[LANE] == {}
    lane.apply(of(ONE, offset=99, at=START + 600))
    assert lane.count("applied") == 2


# ---------------------------------------------------------------------------------------------------------- rejections


def test_an_event_that_the_model_refuses_is_a_dead_letter_and_is_not_remembered():
    no = Note(service=RIGHT[0], event_id="b", do="reject", samples=3)
    lane = Computing()
    commit = lane.apply(of(ONE, no, ONE))
    assert reasons(commit) == [Reason.BAD_VALUE]
    assert (commit.dead_letters[0].offset, commit.dead_letters[0].detail) == (1, "it wants to be refused")
    assert (lane.count("applied"), lane.count("invalid"), lane.count("duplicate")) == (1, 3, 1)
    assert len(lane.store.seen[LANE]) == 1
    assert tally(lane).applied == 1


def test_dead_letters_come_in_the_order_of_their_records():
    no = Note(service=RIGHT[0], do="reject")
    lane = Computing()
    conflict = msgspec.structs.replace(ONE, amount=9)
    good = (record(encode(note), note.service) for note in (no, ONE, conflict))
    commit = lane.apply(batch(*good, record(b"{", None), record(encode(no), no.service)))
    assert [letter.offset for letter in commit.dead_letters] == [0, 2, 3, 4]


def test_the_ids_of_dead_letters_are_the_same_in_every_repeat_and_every_cut():
    bad = [record(b"[{},7]", None, 10), record(b"{", None, 11), record(b"", None, 12)]
    whole, halves = Computing(), Computing()
    whole.apply(batch(*bad))
    halves.applied(batch(bad[0]), batch(*bad[1:]))
    assert len(whole.store.letters) == 4
    assert whole.store.letters == halves.store.letters


def test_a_dead_letter_goes_to_its_topic_too():
    lane = Computing()
    commit = lane.apply(batch(record(b"{", None)))
    (row,) = commit.outbox
    assert (row.topic, row.key) == ("dead-letters", b"notes")
    assert msgspec.json.decode(row.value)["letter_id"] == commit.dead_letters[0].letter_id


# -------------------------------------------------------------------------------------------------------------- timers


def wake(wait: float, do: Any = "wake", **fields: Any) -> Note:
    return Note(service=RIGHT[0], do=do, wait=wait, **fields)


def test_a_timer_fires_after_the_events_that_arrived_before_it():
    lane = Computing()
    lane.apply(of(wake(10)))
    lane.apply(of(Note(service=RIGHT[0], amount=5), offset=1, at=START + 10))
    fired = Tally()
    fired.link("note", "", "1", str(START))
    fired.link("note", "", "5", str(START))
    fired.link("timer", "wake", str(START + 10))
    assert tally(lane).chain == fired.chain
    assert lane.store.timers[LANE] == {}


def test_a_timer_does_not_fire_before_its_time():
    lane = Computing()
    lane.applied(of(wake(10)), tick(START + 9.999, 1))
    assert tally(lane).fired == 0
    lane.apply(tick(START + 10, 2))
    assert tally(lane).fired == 1


@pytest.mark.parametrize(
    ("note", "left"), [(wake(100, at=START), {("wake", RIGHT[0]): START + 120}), (wake(0, "sleep"), {})]
)
def test_a_timer_that_an_event_of_the_same_batch_moves_or_clears_does_not_fire(note, left):
    lane = Computing()
    lane.apply(of(wake(10)))
    lane.apply(of(note, offset=1, at=START + 20))
    assert tally(lane).fired == 0
    assert lane.store.timers[LANE] == left


def test_timers_fire_in_the_order_of_their_times():
    lane = Computing()
    first, second = (
        msgspec.structs.replace(wake(wait), service=service) for service, wait in zip(RIGHT, (9, 8), strict=False)
    )
    lane.apply(of(first, second))
    commit = lane.apply(tick(START + 10, 2))
    assert [row.key.decode() for row in commit.outbox] == [second.service, first.service]


def test_a_timer_may_set_another_one():
    lane = Computing()
    lane.applied(of(wake(10, "wake twice")), tick(START + 20, 1))
    assert lane.store.timers[LANE] == {("wake", RIGHT[0]): START + 70}


def test_a_clock_that_goes_back_fires_nothing_twice_and_holds_nothing_up():
    lane = Computing()
    lane.applied(of(wake(10), at=START + 50), tick(START + 20, 1))
    assert lane.row.clock == START + 50
    assert lane.store.step_rows[LANE][-1].clock == START + 50


# --------------------------------------------------------------------------------------------------------- corrections


def window(lane: Computing, start: int = 0) -> WindowSummary:
    (row,) = [row for row in lane.store.summary_rows.values() if isinstance(row, WindowSummary) and row.start == start]
    return row


def test_a_correction_is_merged_into_the_row_that_exists():
    lane = Computing()
    lane.apply(of(Note(service=RIGHT[0], do="write", amount=10)))
    lane.apply(
        of(Note(service=RIGHT[0], do="correct", amount=4), Note(service=RIGHT[0], do="correct", amount=2), offset=1)
    )
    assert (window(lane).sum, window(lane).count) == (16, 3)


def test_a_correction_without_a_row_becomes_the_row():
    lane = Computing()
    lane.apply(of(Note(service=RIGHT[0], do="correct", amount=4)))
    assert window(lane).sum == 4


def test_a_correction_after_a_write_of_the_same_batch_is_merged_into_that():
    lane = Computing()
    lane.apply(of(Note(service=RIGHT[0], do="write", amount=10), Note(service=RIGHT[0], do="correct", amount=4)))
    assert (window(lane).sum, window(lane).count) == (14, 2)


# --------------------------------------------------------------------------------------------------------- the commit


def test_a_step_moves_the_lane_on_by_one():
    lane = Computing()
    before = lane.row
    commit = lane.apply(batch(record(encode(ONE), ONE.service, 40), record(b"{", None)))
    assert (commit.expected_version, commit.lane.version, commit.lane.step) == (before.version, before.version + 1, 1)
    assert commit.lane.offsets == {"notes": 42}
    assert commit.step is not None
    assert (commit.step.topic, commit.step.first_offset, commit.step.last_offset) == ("notes", 40, 41)


def test_outputs_are_numbered_on_over_steps_without_a_hole():
    lane = Computing()
    mixed = [record(encode(Note(service=RIGHT[0], do="emit")), RIGHT[0]), record(b"{", None), record(encode(ONE), None)]
    commits = lane.applied(batch(*mixed), batch(*(msgspec.structs.replace(one, offset=5) for one in mixed)))
    assert [row.number for commit in commits for row in commit.outbox] == [0, 1, 2, 3, 4, 5]
    assert lane.row.outbox_next == 6


def test_figures_of_the_model_and_of_topics_add_up_over_steps():
    lane = Computing()
    lane.applied(of(Note(service=RIGHT[0], samples=4)), of(Note(service=RIGHT[0]), offset=1), tick(START, 2))
    counts: Mapping[str, int] = lane.row.counts
    assert (counts["noted"], counts["notes.in"], counts["notes.applied"], counts["notes.ticks"]) == (5, 5, 5, 1)


def test_ids_are_forgotten_as_fast_as_they_are_remembered():
    few, many = Computing(), Computing()
    steps = [few.apply(of(msgspec.structs.replace(ONE, event_id=str(n)), offset=n)) for n in range(2 * FORGET_EVERY)]
    assert [commit.lane.step for commit in steps if commit.forget_seen_before is not None] == [
        FORGET_EVERY,
        2 * FORGET_EVERY,
    ]
    flood = [msgspec.structs.replace(ONE, event_id=str(n)) for n in range(FORGET_BEYOND + 1)]
    assert many.apply(of(*flood)).forget_seen_before is not None
    # what a step may remember without forgetting is less than what one deletion takes
    assert FORGET_EVERY * FORGET_BEYOND <= FORGET_AT_ONCE


def test_a_state_that_was_deleted_is_deleted_in_the_store():
    lane = Computing()
    lane.applied(of(ONE), of(Note(service=RIGHT[0], do="forget"), offset=1))
    assert lane.store.states[LANE] == {}


@given(sendings(max_size=10), st.integers(1, 4))
def test_the_same_input_gives_an_equal_commit(history, size):
    first, second = Computing(), Computing()
    records = [
        record(sending.value, sending.key, offset, START + offset, sending.headers)
        for offset, sending in enumerate(history)
    ]
    for start in range(0, len(records), size):
        some = batch(*records[start : start + size])
        commit = first.apply(some)
        assert second.apply(some) == commit
        assert msgspec.json.encode(commit.lane) == msgspec.json.encode(second.row)


def test_a_timer_is_written_in_order_of_kind_and_key():
    lane = Computing()
    notes = [
        msgspec.structs.replace(wake(9, do), service=service) for service in RIGHT[:3] for do in ("wake twice", "wake")
    ]
    timers = lane.apply(of(*reversed(notes))).timers_set
    assert list(timers) == sorted(timers, key=lambda timer: (timer.kind, timer.key))
    assert all(isinstance(timer, Timer) for timer in timers)
