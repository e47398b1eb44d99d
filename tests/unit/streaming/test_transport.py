"""The transport: what a seek has overtaken is read again and never delivered, and only an acknowledged prefix is
committed.

One file: the consumer without a broker that all tests share is longer than most of them.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes.clock import run
from vigia.stores.base import RawRecord
from vigia.stores.errors import Transient
from vigia.stores.records import Records
from vigia.streaming.failure import LaneLostError
from vigia.streaming.ownership import BrokerFacts
from vigia.streaming.record_parsing import UnreadableError
from vigia.streaming.transport import READ_ATTEMPTS, TAKE_OVER_SHARE, Consumer, _Flow

ONE, TWO = TP("test-metrics", 0), TP("test-metrics", 1)
REQUEST_TIMEOUT = 30.0


class Ended(Exception):
    """The process has ended."""


class LanesOf:
    """As much of the lanes as the transport asks for."""

    def __init__(self, positions: Mapping[tuple[str, int], int], takes: float = 0.0) -> None:
        self.positions = positions
        self.takes = takes
        self.asked: dict[str, Any] = {}

    async def acquire(self, facts: Any, counts: Any, generation: int, flow: Any) -> Mapping[tuple[str, int], int]:
        self.asked = {"facts": facts, "counts": counts, "generation": generation}
        await asyncio.sleep(self.takes)
        return self.positions

    def give_up(self, why: str) -> None:
        raise Ended(why)

    def need_person(self, why: str) -> None:
        raise Ended(why)

    def revoke(self) -> None:
        """They are let go."""


async def topic_ids(names: Sequence[str]) -> Mapping[str, str]:
    """As the broker tells them."""
    return {name: f"id of {name}" for name in names}


class LightConsumer(Consumer):
    """Without Faust's services and threads: `log` is what the broker has, one fetch returns `chunk` records of each."""

    should_stop = False

    def __init__(self, log: dict[TP, list[int]], lanes: LanesOf | None = None, chunk: int = 3) -> None:
        app: Any = SimpleNamespace(
            consumer_generation_id=1,
            conf=SimpleNamespace(broker_request_timeout=REQUEST_TIMEOUT),
            monitor=SimpleNamespace(track_tp_end_offset=lambda tp, offset: None),
        )
        transport: Any = SimpleNamespace(
            lanes=lanes,
            topic_ids=topic_ids,
            settings=SimpleNamespace(topic_prefix="test-"),
            logical_name=lambda name: name[5:],
        )
        self.app, self.transport = app, transport
        self.flow_active = True
        self._buffered_partitions = set()
        self._delivered = defaultdict(deque)
        self._next = {}
        self._seeks = 0
        self._unreadable = Counter()
        self._acked = defaultdict(list)
        self._acked_index = defaultdict(set)
        self._read_offset = defaultdict(lambda: None)
        self.log_of = log
        self.chunk = chunk
        self.reading: dict[TP, int] = dict.fromkeys(log, 0)
        self.while_fetching: Callable[[], Any] | None = None
        self.active: set[TP] | None = None

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        fetched: dict[TP, Records] = {}
        for tp, offset in self.reading.items():
            offsets = [one for one in self.log_of[tp] if one >= offset][: self.chunk]
            fetched[tp] = Records.of([RawRecord(tp.topic, tp.partition, one, 0, None, b"") for one in offsets])
            if offsets:
                self.reading[tp] = offsets[-1] + 1
        if self.while_fetching:
            await self.while_fetching()
        return fetched, self.active

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        self.reading.update(partitions)

    def highwater(self, tp: TP) -> int:
        return 0

    def assignment(self) -> set[TP]:
        return set(self.log_of)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        return {tp: self.log_of[tp][-1] + 1 for tp in partitions}

    def _partitions_of(self, topic: str) -> set[int]:
        return {0, 1}

    async def fetch_once(self, between: Callable[[TP], Any] | None = None) -> list[tuple[int, int, list[int]]]:
        """Partition, start and offsets of each batch that one fetch delivers; `between` runs while one is handled.

        As Faust's loop does it: what is below the last offset read is dropped, and that is noted after the handling.
        """
        got = []
        async for tp, message in self.getmany(1.0):
            batch: Any = message.value
            last_read = self._read_offset[tp]
            if last_read is not None and message.offset < last_read:
                continue
            got.append((tp.partition, batch.start, [one.offset for one in batch.records]))
            assert message.offset == batch.records[-1].offset
            if between:
                await between(tp)
            self._read_offset[tp] = message.offset
        return got

    def acknowledge(self, tp: TP, offset: int) -> None:
        """What Faust notes for an acknowledged message."""
        if offset not in self._acked_index[tp]:
            self._acked_index[tp].add(offset)
            self._acked[tp].append(offset)


def consumer(**logs: list[int]) -> LightConsumer:
    made = LightConsumer({ONE: list(range(9)), TWO: list(range(9))} if not logs else {ONE: logs["one"]})
    made._next = dict(made.reading)
    return made


# ------------------------------------------------------------------------------------------------------------ delivery


def test_a_fetch_is_one_message_a_partition_that_says_from_where_it_was_asked_for():
    reader = consumer()
    assert run(reader.fetch_once()) == [(0, 0, [0, 1, 2]), (1, 0, [0, 1, 2])]
    assert run(reader.fetch_once()) == [(0, 3, [3, 4, 5]), (1, 3, [3, 4, 5])]


def test_holes_in_the_log_are_no_gap_between_batches():
    reader = consumer(one=[0, 1, 5, 9, 10, 11])
    assert run(reader.fetch_once()) == [(0, 0, [0, 1, 5])]
    assert run(reader.fetch_once()) == [(0, 6, [9, 10, 11])]


def test_what_was_fetched_before_a_seek_is_read_again_and_not_delivered():
    async def scenario() -> None:
        async def seek() -> None:
            reader.while_fetching = None
            await reader.move({ONE: 7})

        reader.while_fetching = seek
        assert await reader.fetch_once() == []
        assert await reader.fetch_once() == [(0, 7, [7, 8]), (1, 0, [0, 1, 2])]

    reader = consumer()
    run(scenario())


def test_a_seek_while_one_batch_is_handled_stops_the_delivery_of_the_others_and_they_are_read_again():
    async def scenario() -> None:
        async def seek_back(tp: TP) -> None:
            await reader.move({tp: 1})

        assert await reader.fetch_once(seek_back) == [(0, 0, [0, 1, 2])]
        assert await reader.fetch_once() == [(0, 1, [1, 2, 3]), (1, 0, [0, 1, 2])]

    reader = consumer()
    run(scenario())


def test_what_is_read_again_after_a_seek_back_is_not_dropped_by_faust():
    async def scenario() -> None:
        async def seek_back(tp: TP) -> None:
            await reader.move({tp: 0})

        await reader.fetch_once()
        # Faust notes the offset of this one after the seek
        assert await reader.fetch_once(seek_back) == [(0, 3, [3, 4, 5])]
        assert await reader.fetch_once() == [(0, 0, [0, 1, 2])]

    reader = consumer(one=list(range(9)))
    run(scenario())


def test_what_was_fetched_before_a_rebalance_is_not_delivered_and_taking_over_will_seek():
    async def scenario() -> None:
        async def rebalance(*_: object) -> None:
            reader.app.consumer_generation_id += 1
            reader._next.clear()

        assert await reader.fetch_once(rebalance) == [(0, 0, [0, 1, 2])]
        reader.while_fetching = rebalance
        assert await reader.fetch_once() == []

    reader = consumer()
    run(scenario())
    assert reader._seeks == 0


def test_nothing_is_delivered_while_the_flow_is_stopped():
    async def scenario() -> None:
        async def stop() -> None:
            reader.flow_active = False

        reader.while_fetching = stop
        assert await reader.fetch_once() == []

    reader = consumer()
    run(scenario())


def test_a_paused_partition_is_read_again_later_and_one_whose_buffer_is_full_is_delivered():
    reader = consumer()
    reader.active = {TWO}
    assert run(reader.fetch_once()) == [(1, 0, [0, 1, 2])]
    reader._buffered_partitions = {ONE}
    assert run(reader.fetch_once()) == [(0, 0, [0, 1, 2]), (1, 3, [3, 4, 5])]


def test_a_partition_that_no_lane_was_taken_over_for_is_not_delivered():
    reader = consumer()
    del reader._next[ONE]
    assert run(reader.fetch_once()) == [(1, 0, [0, 1, 2])]


moves = st.lists(
    st.tuples(st.sampled_from([ONE, TWO]), st.integers(0, 12), st.sampled_from(["fetch", "handle"])), max_size=5
)


@given(moves, st.integers(1, 5))
def test_whatever_is_sought_and_when_each_delivered_batch_continues_the_one_before(moves, chunk):
    async def scenario() -> None:
        left = list(moves)
        expected = {ONE: 0, TWO: 0}

        async def seek(when: str) -> None:
            if left and left[-1][2] == when:
                tp, offset, _ = left.pop()
                expected[tp] = offset
                await reader.move({tp: offset})

        reader.while_fetching = lambda: seek("fetch")
        for _ in range(60):
            async for tp, message in reader.getmany(1.0):
                batch: Any = message.value
                assert batch.start == batch.records[0].offset == expected[tp]
                expected[tp] = batch.next_offset
                await seek("handle")
        assert expected == {ONE: 13, TWO: 13}

    reader = LightConsumer({ONE: list(range(13)), TWO: list(range(13))}, chunk=chunk)
    reader._next = dict(reader.reading)
    run(scenario())


# ---------------------------------------------------------------------------------------------------------- unreadable


def failing(times: int, error: Exception) -> LightConsumer:
    """A consumer whose first fetches fail, after all that they brought has been taken off the fetcher."""

    async def fail() -> None:
        nonlocal times
        times -= 1
        if times >= 0:
            raise error

    reader = LightConsumer({ONE: list(range(9)), TWO: list(range(9))}, LanesOf({}))
    reader._next = dict(reader.reading)
    reader.while_fetching = fail
    return reader


def test_a_fetch_that_cannot_be_read_once_or_twice_is_fetched_again_with_all_it_had_of_others():
    reader = failing(READ_ATTEMPTS - 1, UnreadableError("test-metrics", 0, 0, "damaged"))
    for _ in range(READ_ATTEMPTS - 1):
        assert run(reader.fetch_once()) == []
    assert run(reader.fetch_once()) == [(0, 0, [0, 1, 2]), (1, 0, [0, 1, 2])]


def test_one_that_stays_unreadable_ends_the_worker_with_its_place():
    reader = failing(READ_ATTEMPTS, UnreadableError("test-metrics", 0, 17, "damaged"))
    for _ in range(READ_ATTEMPTS - 1):
        assert run(reader.fetch_once()) == []
    with pytest.raises(Ended, match=r"topic test-metrics, partition 0, offset 17 cannot be read: damaged"):
        run(reader.fetch_once())


def test_after_a_rebalance_nothing_is_sought_for_partitions_that_may_be_gone():
    reader = failing(1, UnreadableError("test-metrics", 0, 0, "damaged"))
    reader._next.clear()
    assert run(reader.fetch_once()) == []
    assert reader._seeks == 0


def test_a_topic_that_may_not_be_read_ends_the_worker_with_its_name():
    with pytest.raises(Ended, match="test-metrics"):
        run(failing(1, TopicAuthorizationFailedError("test-metrics")).fetch_once())


# ------------------------------------------------------------------------------------------------------ outside the log


class Bounded(LightConsumer):
    """Its log starts and ends where a test says, or cannot be asked."""

    bounds: tuple[int, int] | Exception = (0, 9)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        if isinstance(self.bounds, Exception):
            raise self.bounds
        return dict.fromkeys(partitions, self.bounds[0])

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        assert not isinstance(self.bounds, Exception)
        return dict.fromkeys(partitions, self.bounds[1])


def refused(bounds: tuple[int, int] | Exception, times: int = 1) -> Bounded:
    """A consumer whose first fetches are refused at offset 5 of one partition."""

    async def refuse() -> None:
        nonlocal times
        times -= 1
        if times >= 0:
            reader.reading = dict.fromkeys(reader.reading, 5)
            raise OffsetOutOfRangeError({ONE: 5})

    reader = Bounded({ONE: list(range(9)), TWO: list(range(9))}, LanesOf({}))
    reader.bounds = bounds
    reader._next = dict.fromkeys(reader.reading, 5)
    reader.while_fetching = refuse
    return reader


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ((7, 9), "topic test-metrics, partition 0: offset 5 .* now starts at 7: 2 offsets were deleted"),
        ((0, 4), "topic test-metrics, partition 0: offset 5 .* now ends at 4"),
    ],
)
def test_a_position_that_leaves_the_log_ends_the_worker_with_its_place(bounds, says):
    with pytest.raises(Ended, match=says):
        run(refused(bounds).fetch_once())


@pytest.mark.parametrize("bounds", [(0, 9), KafkaConnectionError("away")])
def test_an_offset_that_is_refused_once_and_lies_in_the_log_is_fetched_again(bounds):
    reader = refused(bounds)
    assert run(reader.fetch_once()) == []
    assert run(reader.fetch_once()) == [(0, 5, [5, 6, 7]), (1, 5, [5, 6, 7])]


def test_an_offset_that_is_refused_for_ever_ends_the_worker():
    reader = refused((0, 9), READ_ATTEMPTS)
    for _ in range(READ_ATTEMPTS - 1):
        assert run(reader.fetch_once()) == []
    with pytest.raises(Ended, match="although its log goes from 0 to 9"):
        run(reader.fetch_once())


def test_an_offset_that_nobody_wants_any_more_may_be_refused():
    reader = refused((7, 9))
    reader._next.clear()
    assert run(reader.fetch_once()) == []


def test_a_partition_that_was_just_assigned_and_has_no_offset_in_kafka_waits_for_its_lane():
    assert run(failing(1, NoOffsetForPartitionError(ONE)).fetch_once()) == []


# ----------------------------------------------------------------------------------------------------------- committing


def delivered(reader: LightConsumer, times: int) -> None:
    for _ in range(times):
        run(reader.fetch_once())


def test_only_the_acknowledged_prefix_is_committed():
    reader = consumer(one=list(range(9)))
    delivered(reader, 3)
    assert reader._new_offset(ONE) is None
    reader.acknowledge(ONE, 5)
    assert reader._new_offset(ONE) is None
    reader.acknowledge(ONE, 2)
    assert reader._new_offset(ONE) == 6
    assert reader._new_offset(ONE) is None
    reader.acknowledge(ONE, 8)
    assert reader._new_offset(ONE) == 9
    assert reader._acked[ONE] == []
    assert reader._acked_index[ONE] == set()


def test_what_is_read_again_does_not_hold_commits_up():
    reader = consumer(one=list(range(9)))
    delivered(reader, 2)
    reader.acknowledge(ONE, 2)
    # a lane that has missed something reads again from where it is, and batches are cut at other offsets
    run(_Flow(reader, "test-").seek("metrics", 0, 3))
    reader.chunk = 2
    delivered(reader, 3)
    for offset in (4, 6, 8):
        reader.acknowledge(ONE, offset)
    assert reader._new_offset(ONE) == 9


def test_a_lane_whose_partition_went_to_another_worker_is_lost_when_it_reads_again():
    class Unassigned(LightConsumer):
        async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
            raise IllegalStateError(f"No current assignment for partition {ONE}")

    with pytest.raises(LaneLostError, match="metrics/0"):
        run(_Flow(Unassigned({}), "test-").seek("metrics", 0, 3))


def test_an_acknowledgement_of_an_earlier_assignment_commits_nothing():
    reader = consumer(one=list(range(9)))
    reader.acknowledge(ONE, 5)
    assert reader._new_offset(ONE) is None
    delivered(reader, 2)
    reader.acknowledge(ONE, 5)
    reader.acknowledge(ONE, 2)
    assert reader._new_offset(ONE) == 6


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 4))
def test_in_whatever_order_batches_are_acknowledged_nothing_is_committed_beyond_the_first_that_is_not(order, chunk):
    reader = LightConsumer({ONE: list(range(12))}, chunk=chunk)
    reader._next = {ONE: 0}
    delivered(reader, 12)
    lasts = [min(start + chunk, 12) - 1 for start in range(0, 12, chunk)]
    acknowledged: set[int] = set()
    committed = 0
    for index in order:
        acknowledged.add(lasts[index % len(lasts)])
        reader.acknowledge(ONE, lasts[index % len(lasts)])
        committed = reader._new_offset(ONE) or committed
        first_missing = next((n for n, last in enumerate(lasts) if last not in acknowledged), len(lasts))
        assert committed == (lasts[first_missing - 1] + 1 if first_missing else 0)


# ---------------------------------------------------------------------------------------------------------- taking over


def taking_over(lanes: LanesOf) -> LightConsumer:
    return LightConsumer({ONE: list(range(4, 9)), TWO: list(range(9))}, lanes)


def test_reading_begins_where_the_lanes_are_and_not_where_kafka_thinks():
    lanes = LanesOf({("metrics", 0): 5, ("metrics", 1): 0})
    reader = taking_over(lanes)
    assert run(reader.seek_to_committed()) == {ONE: 5, TWO: 0}
    assert lanes.asked["counts"] == {"metrics": 2}
    assert lanes.asked["facts"] == dict.fromkeys(
        [("metrics", 0), ("metrics", 1)], BrokerFacts(0, 9, "id of test-metrics")
    )
    assert run(reader.fetch_once()) == [(0, 5, [5, 6, 7]), (1, 0, [0, 1, 2])]


def test_lanes_that_were_revoked_meanwhile_move_nothing():
    reader = taking_over(LanesOf({}))
    assert run(reader.seek_to_committed()) == {}
    assert run(reader.fetch_once()) == []


def test_a_worker_that_cannot_take_its_lanes_over_in_time_ends_before_faust_gives_up():
    async def scenario() -> float:
        with pytest.raises(Ended, match="within 24 s"):
            await taking_over(LanesOf({}, takes=1_000.0)).seek_to_committed()
        return asyncio.get_running_loop().time()

    assert run(scenario()) == TAKE_OVER_SHARE * REQUEST_TIMEOUT < REQUEST_TIMEOUT


@pytest.mark.parametrize(
    ("error", "ends"),
    [(KafkaConnectionError("away"), Ended), (Transient("no ids"), Ended), (IllegalStateError("x"), IllegalStateError)],
)
def test_a_broker_that_is_away_ends_the_worker_and_a_revoked_partition_is_fausts(error, ends):
    class Away(LightConsumer):
        async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
            raise error

    with pytest.raises(ends):
        run(Away({ONE: [0]}, LanesOf({})).seek_to_committed())


# ----------------------------------------------------------------------------------------------------------- positions


class Fetched:
    """A partition of aiokafka's consumer whose position is taken away, as by a seek, once somebody has looked at it."""

    def __init__(self, position: int | None) -> None:
        self.at = position

    @property
    def has_valid_position(self) -> bool:
        return self._position is not None

    @property
    def _position(self) -> int | None:
        position, self.at = self.at, None
        return position

    @property
    def position(self) -> int:
        assert self.at is not None
        return self.at


def test_positions_can_be_read_while_a_seek_takes_them_away():
    reader = consumer()
    states = {ONE: Fetched(7), TWO: Fetched(None)}
    assignment = SimpleNamespace(tps=frozenset(states), state_value=states.get)
    subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
    reader._thread = SimpleNamespace(_consumer=SimpleNamespace(_subscription=subscription))  # type: ignore[assignment]
    assert reader.read_positions() == {("metrics", 0): 7}
    assert reader.read_positions() == {}


@pytest.mark.parametrize("inside", [None, SimpleNamespace(_subscription=SimpleNamespace(subscription=None))])
def test_a_consumer_that_has_not_begun_or_has_ended_has_no_positions(inside):
    reader = consumer()
    reader._thread = SimpleNamespace(_consumer=inside)  # type: ignore[assignment]
    assert reader.read_positions() == {}
