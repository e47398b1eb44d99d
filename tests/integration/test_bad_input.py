"""Bad input on the real path: Kafka, one worker process, Cassandra and MariaDB; each case between good events.

All cases of tests/support/bad_input.py are sent at once, then each test looks at what one of them came to.
"""

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.support import (
    Received,
    Sender,
    Sent,
    counts,
    fresh_environment,
    opened_stores,
    read_topic,
    wait_until,
    worker,
)
from tests.support.bad_case import GOOD, PARTITIONS, Case, encoded, sample
from tests.support.bad_input import CASES
from tests.support.raw_batches import Plain, RawName, send_batch
from vigia.events.dead_letter import MAX_BODY, DeadLetter
from vigia.events.figures import TOPIC_FIGURES
from vigia.stores.base import DeadLetterRow, LaneRow, RawRecord
from vigia.streaming.batches import CUT_HEADER, ORIGIN_HEADER
from vigia.streaming.dead_letters import MAX_DETAIL
from vigia.streaming.partitions import partition_of
from vigia.topics import DEAD_LETTERS

INPUTS = sorted(GOOD)
AROUND = 2
"""Good events before the first case, and after each."""

Place = tuple[str, int, int]


@dataclass(frozen=True)
class World:
    """What was sent, and all that it came to, read once when it was over."""

    sent: Mapping[str, Sent]
    lanes: list[LaneRow]
    rows: dict[Place, list[DeadLetterRow]]
    letters: dict[Place, list[DeadLetter]]
    on_broker: dict[tuple[str, int], list[Received]]
    in_raw_log: dict[tuple[str, int], list[RawRecord]]

    @property
    def figures(self) -> Counter[str]:
        """The figures of all lanes together."""
        return sum((Counter(lane.counts) for lane in self.lanes), Counter[str]())


def wanted() -> dict[str, Counter[str]]:
    """Return the figures that each topic must end with, from the table alone."""
    figures = {topic: Counter[str]() for topic in INPUTS}
    for topic in INPUTS:
        figures[topic]["applied"] = AROUND
    for case in CASES:
        # the case's own events, those it sent on (which arrive anew), and the good ones after it
        figures[case.topic]["applied"] += case.expected.applied + case.expected.moved + AROUND
        figures[case.topic]["moved"] += case.expected.moved
        figures[case.topic]["invalid"] += case.expected.reason is not None
    for topic in INPUTS:
        figures[topic]["in"] = figures[topic].total()
        figures[topic]["duplicate"] = 0
    return figures


@pytest.fixture(scope="module")
def world(stack, tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bad-input")
    with fresh_environment(stack, folder) as env:
        with worker(env) as one, Sender(env) as sender:
            sent = send_all(sender)
            sender.flush()
            goal = wanted()

            def done() -> bool:
                assert one.running, f"the worker ended with {one.process.returncode}"
                found = counts(env)
                return all(found[f"{topic}.in"] >= goal[topic]["in"] for topic in INPUTS)

            wait_until(done, 90, "the last event")
            wait_until(lambda: published(env), 30, "the last output")
        yield read_all(env, sent)


def send_all(sender: Sender) -> dict[str, Sent]:
    """Send every case between good events, in the order of the table."""
    numbers, now = itertools.count(), time.time()

    def send_good(topic: str) -> None:
        key, value = GOOD[topic]
        for _ in range(AROUND):
            sender.send(topic, value(now, next(numbers)), key=key)

    for topic in INPUTS:
        send_good(topic)
    sent = {}
    for case in CASES:
        if case.first is not None:
            sender.send(case.topic, case.first(now), key=case.key, partition=case.partition)
        sent[named(case)] = sender.send(
            case.topic, case.value(now), key=case.key, partition=case.partition, headers=case.headers
        )
        send_good(case.topic)
    return sent


def published(env: Mapping[str, str]) -> bool:
    with opened_stores(env) as stores:
        return not any(stores.summaries.outbox(row.lane, 1) for row in stores.summaries.lanes())


def read_all(env: Mapping[str, str], sent: Mapping[str, Sent]) -> World:
    with opened_stores(env) as stores:
        lanes = stores.summaries.lanes()
        rows: dict[Place, list[DeadLetterRow]] = {}
        for row in stores.summaries.dead_letters(None, 10_000):
            rows.setdefault((row.topic, row.lane.partition, row.offset), []).append(row)
        letters: dict[Place, list[DeadLetter]] = {}
        for record in read_topic(env, "dead-letters"):
            (letter,) = DEAD_LETTERS.decode(record.value)
            assert isinstance(letter, DeadLetter)
            assert record.key == letter.topic.encode()
            letters.setdefault((letter.topic, letter.partition, letter.offset), []).append(letter)
        on_broker: dict[tuple[str, int], list[Received]] = {}
        for received in itertools.chain.from_iterable(read_topic(env, topic) for topic in INPUTS):
            on_broker.setdefault((received.topic, received.partition), []).append(received)
        in_raw_log = {
            (topic, number): list(stores.raw_log.read(lanes[0].cluster_id, topic, number, 0))
            for topic, number in on_broker
        }
    return World(sent, lanes, rows, letters, on_broker, in_raw_log)


def named(case: Case) -> str:
    return f"{case.topic}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_each_bad_input_becomes_what_the_table_says(world, case):
    place = world.sent[named(case)].place
    rows, letters = world.rows.get(place, []), world.letters.get(place, [])
    if case.expected.reason is None:
        assert not rows
        assert not letters
        return
    (row,), (letter,) = rows, letters
    assert (row.reason, row.position) == (case.expected.reason, case.expected.position)
    assert case.expected.says in row.detail
    assert row.detail.isprintable()
    assert row.status == "open"
    assert row.key == (case.key or b"")[:MAX_DETAIL]
    assert row.body_size >= len(row.body)
    assert len(row.body) <= MAX_BODY
    # the record says what the row says
    assert (letter.letter_id, letter.reason, letter.detail, letter.position, letter.cluster, letter.at) == (
        (row.letter_id, row.reason, row.detail, row.position, row.cluster_id, row.at)
    )
    assert (letter.body_bytes, letter.body_size) == (row.body, row.body_size)


@pytest.mark.parametrize("case", [case for case in CASES if case.expected.moved], ids=named)
def test_what_came_to_the_wrong_place_arrives_in_the_right_one_and_is_applied_once(world, case):
    topic, partition, offset = world.sent[named(case)].place
    place = f"/{topic}/{partition}/{offset}/".encode()
    moved = [
        record
        for records in world.on_broker.values()
        for record in records
        if any(name == ORIGIN_HEADER and place in b"/" + (value or b"") for name, value in record.headers)
    ]
    (record,) = moved
    assert record.key == case.moves_to.encode()
    assert record.partition == partition_of(record.key, PARTITIONS)
    assert (record.topic, record.partition, record.offset) not in world.rows


def test_the_stream_goes_on_and_every_event_is_accounted_for(world):
    found, goal = world.figures, wanted()
    # what Vigia decided and judged itself; the table's decisions are others'
    decisions = itertools.chain(*(records for (name, _), records in world.on_broker.items() if name == "ai-decisions"))
    own = sum(b'"agent":"vigia.' in (record.value or b"") for record in decisions)
    assert own >= found["deployments_scored"] > 0
    goal["ai-decisions"].update({"in": own, "applied": own})
    for topic in INPUTS:
        assert {name: found[f"{topic}.{name}"] for name in TOPIC_FIGURES if name != "ticks"} == goal[topic], topic
    assert not [lane for lane in world.lanes if lane.stopped]


def test_there_are_no_dead_letters_but_those_of_the_table(world):
    expected = {world.sent[named(case)].place for case in CASES if case.expected.reason}
    assert set(world.rows) == expected
    assert set(world.letters) == expected


def test_the_raw_log_has_every_record_byte_for_byte(world):
    lanes = {(topic, lane.lane.partition): lane.offsets[topic] for lane in world.lanes for topic in lane.offsets}
    assert sum(len(records) for records in world.on_broker.values()) > len(CASES) * (1 + AROUND)
    for place, records in world.on_broker.items():
        # a tick may have been appended after the last step
        read = [record for record in records if record.offset < lanes[place]]
        assert [contents(record) for record in world.in_raw_log[place]] == [contents(record) for record in read]
        assert len(records) - len(read) <= 1


def contents(record: Received | RawRecord) -> tuple[object, ...]:
    return record.offset, record.timestamp, record.key, record.value, tuple(record.headers)


def test_what_is_large_only_when_decompressed_does_not_stop_its_lane(stack, tmp_path):
    large = {"compression_type": "gzip", "message_max_bytes": 100_000_000}
    with fresh_environment(stack, tmp_path) as env, worker(env) as one, Sender(env, **large) as sender:
        now = time.time()
        # 20 kB on the broker
        bomb = sender.send("metrics", b'"' + b"a" * 20_000_000 + b'"', key=b"shop")
        misplaced = sender.send("metrics", encoded(sample(now, labels={"a": "x" * 3_000_000})), key=b"somebody")
        sender.send("metrics", encoded(sample(now)), key=b"shop")
        sender.send("metrics", encoded(sample(now, service="bar")), key=b"bar")
        sender.flush()

        def done() -> bool:
            assert one.running
            return counts(env)["metrics.in"] == 4

        wait_until(done, 60, "the last event")
        assert counts(env)["metrics.applied"] == 2
        with opened_stores(env) as stores:
            rows = stores.summaries.dead_letters(None, 10)
            assert {(row.offset, row.lane.partition, row.reason) for row in rows} == {
                (sent.offset, sent.partition, "too_large") for sent in (bomb, misplaced)
            }
            (kept,) = stores.raw_log.read(rows[0].cluster_id, "metrics", bomb.partition, bomb.offset, bomb.offset)
        assert kept.headers == ((CUT_HEADER, b"20000002,4,0"),)


def test_a_header_whose_name_is_not_utf8_stops_nobody_and_is_kept_in_a_spelling_that_is(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env, worker(env) as one:
        now = time.time()
        records = [
            Plain(encoded(sample(now, metric="a"))),
            Plain(encoded(sample(now, metric="b")), headers=[(RawName(b"caf\xe9"), b"1"), ("trace", b"")]),
            Plain(encoded(sample(now, metric="c"))),
        ]
        partition = partition_of(b"shop", PARTITIONS)
        topic = env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics"
        first = send_batch(env["VIGIA_KAFKA_BOOTSTRAP"], topic, partition, records)

        def done() -> bool:
            assert one.running, f"the worker ended with {one.process.returncode}"
            return counts(env)["metrics.applied"] == len(records)

        wait_until(done, 60, "the last event")
        with opened_stores(env) as stores:
            cluster_id = stores.summaries.lanes()[0].cluster_id
            (kept,) = stores.raw_log.read(cluster_id, "metrics", partition, first + 1, first + 1)
        assert kept.headers == (("caf\\xe9", b"1"), ("trace", b""))
