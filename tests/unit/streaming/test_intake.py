"""Intake: which records are events of this lane, which are sent on, which are refused, and what each weighs."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes.notes import NOTES, SCOPED, START, Note, encode
from tests.support.fakes.world import CLUSTER, PARTITIONS, scope_of
from tests.unit.streaming.computing import HERE, RIGHT, WRONG, Computing, batch, of, record, take
from vigia.events.invalid import Reason
from vigia.streaming.batches import ORIGIN_HEADER, TICK_HEADER
from vigia.streaming.intake import Intake, Taken, raw_entries
from vigia.streaming.partitions import partition_of
from vigia.topics import METRICS

NOTE = Note(service=RIGHT[0], samples=3)
STRAY = Note(service=WRONG[0], samples=3)


def summary(taken: Taken) -> tuple[int, int, list[Reason]]:
    """How many events are applied, how many sent on, and why the others are refused."""
    return len(taken.events), len(taken.moved), [one.invalid.reason for one in taken.refused]


# ---------------------------------------------------------------------------------------------------------- right lane


def test_a_record_under_its_key_in_its_partition_is_applied():
    assert summary(take(of(NOTE))) == (1, 0, [])


@pytest.mark.parametrize(
    ("key", "note"),
    [
        pytest.param(None, NOTE, id="no key"),
        pytest.param(b"", NOTE, id="empty key"),
        pytest.param(RIGHT[1], NOTE, id="key of another body"),
        pytest.param(b"\xff\xfe", NOTE, id="key that is no text"),
        pytest.param("x" * 10_000, NOTE, id="key that is no name"),
        pytest.param(WRONG[0], STRAY, id="wrong partition"),
        pytest.param(RIGHT[0], STRAY, id="right partition for the key, wrong for the body"),
    ],
)
def test_a_record_that_is_not_in_its_lane_is_sent_on_under_its_own_key(key, note):
    taken = take(batch(record(encode(note), key, offset=7)))
    assert summary(taken) == (0, 1, [])
    assert taken.moved_weight == 3
    (moved,) = taken.moved
    assert (moved.topic, moved.key, moved.partition) == ("notes", note.service.encode(), None)
    assert msgspec.json.decode(moved.value, type=Note) == note
    assert moved.headers == ((ORIGIN_HEADER, f"{CLUSTER}/notes/{HERE}/7/0".encode()),)


def test_a_record_that_was_sent_on_once_is_applied_where_it_belongs():
    origin = [(ORIGIN_HEADER, b"cluster-1/notes/2/7/0")]
    taken = take(batch(record(encode(NOTE), NOTE.service, headers=origin)))
    assert summary(taken) == (1, 0, [])
    assert taken.identities == ["cluster-1/notes/2/7/0"]


def test_a_record_that_was_sent_on_once_and_is_still_not_in_its_place_is_refused():
    origin = [(ORIGIN_HEADER, b"cluster-1/notes/2/7/0")]
    taken = take(batch(record(encode(STRAY), STRAY.service, headers=origin)))
    assert summary(taken) == (0, 0, [Reason.WRONG_PARTITION])
    assert "cluster-1/notes/2/7/0" in taken.refused[0].invalid.detail
    assert taken.refused[0].weight == 3


def test_a_key_that_is_no_name_is_refused_before_it_is_sent_anywhere():
    for service in ("", "a\x00b", " a", "x" * 10_000):
        taken = take(batch(record(encode(Note(service=service)), None)))
        assert summary(taken) == (0, 0, [Reason.BAD_NAME])


def test_an_events_own_id_goes_before_the_place_it_was_sent_from():
    note = Note(service=RIGHT[0], event_id="mine")
    origin = [(ORIGIN_HEADER, b"cluster-1/notes/2/7/0")]
    assert take(batch(record(encode(note), note.service, headers=origin))).identities == ["mine"]


def test_a_known_key_is_known_only_in_its_partition():
    intake = Intake(NOTES, scope_of, 300.0)
    key = RIGHT[0].encode()
    for partition in range(PARTITIONS):
        for _ in range(2):
            taken = intake.take(replace(batch(record(encode(NOTE), key)), partition=partition), PARTITIONS)
            assert len(taken.events) == (partition == partition_of(key, PARTITIONS))


# --------------------------------------------------------------------------------------------------------------- scope


def test_a_missing_scope_comes_from_the_catalog_and_is_the_key():
    service = "checkout"
    scope = scope_of(service, START)
    partition = partition_of(scope.encode(), PARTITIONS)
    here = replace(batch(record(encode(Note(service=service)), scope), topic="scoped"), partition=partition)
    taken = take(here, SCOPED)
    assert [event.scope for event in taken.events] == [scope]


def test_a_scope_that_the_event_knows_is_kept():
    scope = "another team"
    partition = partition_of(scope.encode(), PARTITIONS)
    sent = batch(record(encode(Note(service="checkout", scope=scope)), scope), topic="scoped")
    taken = take(replace(sent, partition=partition), SCOPED)
    assert [event.scope for event in taken.events] == [scope]


def test_what_is_sent_on_carries_its_scope():
    taken = take(batch(record(encode(Note(service="checkout")), None), topic="scoped"), SCOPED)
    (moved,) = taken.moved
    assert moved.key == b"team of checkout"
    assert msgspec.json.decode(moved.value, type=Note).scope == "team of checkout"


# ---------------------------------------------------------------------------------------------------------------- time


def test_a_tick_moves_the_clock_and_is_no_event():
    taken = take(batch(record(b"", None, at=START + 5, headers=[(TICK_HEADER, b"1")])))
    assert (taken.ticks, taken.weight, taken.clock) == (1, 0, START + 5)
    assert summary(taken) == (0, 0, [])


def test_the_clock_is_the_highest_kafka_time_of_the_batch():
    times = (START + 5, START + 9, START)
    taken = take(batch(*(record(encode(NOTE), NOTE.service, at=at) for at in times)))
    assert taken.clock == START + 9
    assert taken.times == list(times)


@pytest.mark.parametrize(("ahead", "refused"), [(0, False), (300, False), (301, True), (10**8, True)])
def test_an_event_further_ahead_of_its_arrival_than_the_limit_is_refused(ahead, refused):
    taken = take(of(Note(service=RIGHT[0], at=START + ahead, samples=3)))
    assert summary(taken) == ((0, 0, [Reason.FUTURE]) if refused else (1, 0, []))
    assert taken.weight == 3


def test_an_event_of_another_lane_that_is_ahead_is_refused_and_not_sent_on():
    assert summary(take(batch(record(encode(Note(service=WRONG[0], at=START + 9_999)), None)))) == (
        0,
        0,
        [Reason.FUTURE],
    )


# -------------------------------------------------------------------------------------------------------------- arrays


def test_a_bad_element_of_an_array_does_not_take_its_neighbours_with_it():
    value = b"[" + b",".join([encode(NOTE), b'{"type":"note"}', encode(STRAY), b"7", encode(NOTE)]) + b"]"
    taken = take(batch(record(value, NOTE.service, offset=4)))
    assert summary(taken) == (2, 1, [Reason.MISSING_FIELD, Reason.WRONG_TYPE])
    assert taken.position_of == [0, 4]
    assert [one.position for one in taken.refused] == [1, 3]
    assert taken.moved[0].headers[0][1].endswith(b"/4/2")
    # packed events weigh what they hold, refused ones at least one
    assert taken.weight == 3 + 1 + 3 + 1 + 3


def test_events_that_are_applied_can_be_found_in_the_raw_log_and_others_cannot():
    value = b"[" + b",".join([encode(STRAY), encode(Note(service=RIGHT[0], event_id="a")), b"7"]) + b"]"
    taken = take(batch(record(value, RIGHT[0], offset=4)))
    (entry,) = raw_entries(taken, packed=False)
    assert (entry.offset, entry.position, entry.service, entry.at, entry.event_id) == (4, 1, RIGHT[0], START, "a")


def test_a_packed_batch_names_each_service_and_hour_once():
    notes = [Note(service=service, at=START - hours * 3_600) for service in RIGHT[:2] for hours in (0, 0, 1)]
    entries = raw_entries(take(of(*notes)), packed=True)
    assert len(entries) == 4
    assert {(entry.service, entry.at) for entry in entries} == {(note.service, note.at) for note in notes}


def test_a_packed_sample_is_found_in_every_hour_that_it_has_points_in():
    points = [(START - hours * 3_600 + second, 1.0) for hours in (0, 2, 1) for second in (0, 1)]
    value = msgspec.json.encode({"service": RIGHT[0], "metric": "m", "points": points})
    taken = Intake(METRICS, scope_of, 300.0).take(replace(batch(record(value, RIGHT[0])), topic="metrics"), PARTITIONS)
    entries = raw_entries(taken, packed=True)
    assert sorted(entry.at // 3_600 for entry in entries) == [START // 3_600 - hours for hours in (2, 1, 0)]
    assert {entry.service for entry in entries} == {RIGHT[0]}


# ------------------------------------------------------------------------------------------------------------- weights

elements = st.one_of(
    st.builds(
        Note,
        service=st.sampled_from([*RIGHT[:2], *WRONG[:1]]),
        event_id=st.sampled_from(["", "a", "b"]),
        samples=st.sampled_from([1, 1, 5]),
        amount=st.integers(1, 2),
        do=st.sampled_from(["", "reject", "emit"]),
        at=st.sampled_from([START, START + 9_999]),
    ).map(encode),
    st.sampled_from([b"7", b'{"type":"note"}', b'{"type":"other"}']),
)
values = st.one_of(
    elements, st.lists(elements, max_size=4).map(lambda some: b"[" + b",".join(some) + b"]"), st.just(b"")
)
keys = st.sampled_from([None, *RIGHT[:2], *WRONG[:1]])
headers = st.sampled_from([(), (), (), ((ORIGIN_HEADER, b"x/notes/2/1/0"),), ((TICK_HEADER, b"1"),)])


@given(st.lists(st.lists(st.tuples(values, keys, headers), min_size=1, max_size=6), min_size=1, max_size=4))
def test_what_came_in_is_applied_or_a_duplicate_or_invalid_or_sent_on(batches):
    lane = Computing()
    offset = 0
    for records in batches:
        lane.apply(batch(*(record(value, key, offset, headers=header) for value, key, header in records)))
        offset += len(records)
    figures = [lane.count(figure) for figure in ("applied", "duplicate", "invalid", "moved")]
    assert min(figures) >= 0
    assert lane.count("in") == sum(figures)
    assert lane.count("applied") == lane.row.counts.get("noted", 0)
    refused = sum(one.reason != Reason.MODEL_ERROR for one in lane.store.letters.values())
    assert refused <= lane.count("invalid")
