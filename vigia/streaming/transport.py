"""A Faust transport whose messages are whole fetched record batches, and whose positions are the lanes', not Kafka's.

Per event, a Faust agent on it receives one `Batch`: the records that one fetch returned for one partition. That saves
two tasks and two queue hops a record (14k messages/s with stock Faust, 240k and more with batches). Faust keeps what
it is good at: the group membership, rebalancing, commits for lag tools, its command line.

What would surprise a reader of Faust: where Faust seeks to committed offsets, `seek_to_committed` takes lanes over
instead; offsets handed to Kafka are only for lag tools; a fetch that a seek has overtaken is read again, never
delivered; and a position outside the log ends the worker instead of being reset.
"""

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiokafka
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from vigia.stores.errors import Transient
from vigia.stores.records import Records
from vigia.streaming import record_parsing
from vigia.streaming.assignor import lane_assignor
from vigia.streaming.batches import Batch
from vigia.streaming.failure import LaneLostError
from vigia.streaming.lanes import Lanes
from vigia.streaming.metadata_refresh import keep_refreshing
from vigia.streaming.ownership import BrokerFacts, outside_log

BUFFER_POLL = 0.01
"""Seconds between looks at whether a full buffer has room again."""

TAKE_OVER_SHARE = 0.8
"""Share of `broker_request_timeout` within which lanes must be taken over: after the whole of it Faust gives up without
a word, and a worker that goes on then reads nothing, for ever."""

READ_ATTEMPTS = 3
"""How often a batch is fetched that cannot be read: damage on its way is not there the next time."""

TopicIds = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Asks the broker for the ids of topics, by their names there; it raises Transient. aiokafka does not show them."""
LOG_APPEND_TIME = 1
"""Faust asks whose time it is; the input topics have the broker's, or the worker does not start."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """What the transport adds to Faust's settings: waits in milliseconds, sizes in bytes."""

    topic_prefix: str
    fetch_max_wait_ms: int
    fetch_max_bytes: int


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer; Faust hard-codes what is set here."""

    async def on_start(self) -> None:
        """Start the consumer, whose client shall not stop refreshing metadata."""
        await super().on_start()
        keep_refreshing(self._ensure_consumer()._client)  # noqa: SLF001 - aiokafka offers no way to it

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        assert isinstance(transport, Transport)  # noqa: S101 - Faust types it as its own
        record_parsing.install()
        conf, settings = self.app.conf, transport.settings
        prefix = settings.topic_prefix
        agent_of = {prefix + topic.name: route.agent for route in transport.lanes.routes for topic in route.topics}
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[lane_assignor(agent_of)],
            enable_auto_commit=False,
            # a reset would skip or repeat records without a word; taking lanes over says where to read
            auto_offset_reset="none",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_bytes=settings.fetch_max_bytes,
            fetch_max_wait_ms=settings.fetch_max_wait_ms,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            # an aborted transaction's records must not count, whatever guarantee Faust is set to
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )


class Consumer(driver.Consumer):
    """Delivers batches, reads from the lanes' positions, commits to Kafka up to the first batch not acknowledged."""

    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._delivered: dict[TP, deque[int]] = defaultdict(deque)
        self._next: dict[TP, int] = {}
        # raised before and after every seek: a fetch that saw it change may come from before the seek
        self._seeks = 0
        self._unreadable: Counter[tuple[str, int, int]] = Counter()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let all lanes go first, so that no step waits for a store while the group waits for us."""
        self.transport.lanes.revoke()
        self._delivered.clear()
        self._next.clear()
        await super().on_partitions_revoked(revoked)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Take over the lanes of all assigned partitions and read on from where they are.

        Ends the process when broker or stores stay away for too long.
        """
        within = TAKE_OVER_SHARE * self.app.conf.broker_request_timeout
        try:
            async with asyncio.timeout(within):
                return await self._take_over()
        except IllegalStateError:
            raise  # the partitions were revoked meanwhile: Faust begins anew
        except TimeoutError:
            self.transport.lanes.give_up(f"could not take the assigned lanes over within {within:.0f} s")
        except (KafkaError, Transient) as error:
            self.transport.lanes.give_up(f"could not take the assigned lanes over: {error!r}")

    async def _take_over(self) -> Mapping[TP, int]:
        assignment = self.assignment()
        if not assignment:
            return {}
        name = self.transport.logical_name
        starts = await self.earliest_offsets(*assignment)
        ends = await self.highwaters(*assignment)
        ids = await self.transport.topic_ids(sorted({tp.topic for tp in assignment}))
        facts = {
            (name(tp.topic), tp.partition): BrokerFacts(starts[tp], ends[tp], ids.get(tp.topic, ""))
            for tp in assignment
        }
        counts = {name(tp.topic): len(self._partitions_of(tp.topic)) for tp in assignment}
        positions = await self.transport.lanes.acquire(
            facts, counts, self.app.consumer_generation_id, _Flow(self, self.transport.settings.topic_prefix)
        )
        # none when the group has revoked them meanwhile: it will assign anew
        targets = {tp: positions[name(tp.topic), tp.partition] for tp in assignment} if positions else {}
        if targets:
            await self.move(targets)
        return targets

    def _partitions_of(self, topic: str) -> set[int]:
        cluster = self._thread._ensure_consumer()._client.cluster  # noqa: SLF001 - Faust offers no way to it
        partitions: set[int] | None = cluster.partitions_for_topic(topic)
        return partitions or set()

    async def move(self, targets: Mapping[TP, int]) -> None:
        """Read on from these offsets."""
        self._seeks += 1
        self._next.update(targets)
        for tp, target in targets.items():
            # what is read again is delivered again: nobody will acknowledge it as it was
            delivered = self._delivered[tp]
            while delivered and delivered[-1] >= target:
                delivered.pop()
        await self.seek_wait(targets)
        self._seeks += 1

    def read_positions(self) -> dict[tuple[str, int], int]:
        """Return up to where each assigned partition was fetched, holes included; may be called from any thread."""
        consumer = self._thread._consumer  # noqa: SLF001 - as below; None before the start and after the end
        subscription = consumer._subscription.subscription if consumer else None  # noqa: SLF001
        assignment = subscription.assignment if subscription else None
        if assignment is None:
            return {}
        name = self.transport.logical_name
        states = {tp: assignment.state_value(tp) for tp in assignment.tps}
        # read once: a seek may take it away between asking whether there is one and reading it
        positions = {tp: state._position for tp, state in states.items() if state is not None}  # noqa: SLF001
        return {(name(tp.topic), tp.partition): at for tp, at in positions.items() if at is not None}

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """Yield one message a fetched partition; its value is the `Batch`, its offset the last record's.

        What a seek or rebalance has overtaken is not delivered: it may come from before, so it is read again.
        """
        seeks = self._seeks
        fetched, active = await self._fetch(timeout)
        if fetched is None or self.should_stop:
            return
        generation = self.app.consumer_generation_id
        left = {tp: records for tp, records in fetched.items() if records}
        for tp, records in list(left.items()):
            if not self._is_current(generation, seeks):
                break
            if tp in self._next and (active is None or tp in active or tp in self._buffered_partitions):
                del left[tp]
                yield tp, self._message(tp, records, generation)
        # during a rebalance nothing is restored: taking the lanes over will seek
        if self.flow_active and self.app.consumer_generation_id == generation:
            again = {tp: self._next[tp] for tp in left if tp in self._next}
            if again:
                await self.move(again)

    async def _fetch(self, timeout: float) -> tuple[Any, Any]:  # noqa: ASYNC109 - Faust's
        """Return the next records, and the partitions that are not paused; nothing when the fetch failed and will be
        repeated.
        """
        seeks = self._seeks
        try:
            # a partition whose buffer was full comes back without waking this wait
            return await self._wait_next_records(BUFFER_POLL if self._buffered_partitions else timeout)
        except record_parsing.UnreadableError as error:
            await self._fetch_again(error)
        except TopicAuthorizationFailedError as error:
            self.transport.lanes.need_person(f"the broker does not let this worker read {error}: grant it to its user")
        except NoOffsetForPartitionError:
            pass  # assigned a moment ago: taking the lanes over will seek
        except OffsetOutOfRangeError as error:
            await self._check_log(error.args[0], seeks)
        return None, None

    async def _fetch_again(self, error: record_parsing.UnreadableError) -> None:
        """Read all partitions again from where they are; ends the process when that has not helped."""
        self._unreadable[error.place] += 1
        if self._unreadable[error.place] >= READ_ATTEMPTS:
            self.transport.lanes.need_person(
                f"{error} (the same {READ_ATTEMPTS} times). Restore the partition from a whole replica or a backup; to "
                "go on without these records, set the lane's offset behind them by hand and note it."
            )
        logger.warning("%s; fetching it again", error)
        # the fetch that failed may have taken records of other partitions with it; taking lanes over seeks by itself
        if self.flow_active and self._next:
            await self.move(dict(self._next))

    async def _check_log(self, refused: Mapping[TP, int], seeks: int) -> None:
        """End the process when what is to be read is not in Kafka's log any more: retention or a truncation was faster.

        A broker that refuses an offset which it says it has is asked again, for a while.
        """
        lanes = self.transport.lanes
        try:
            starts = await self.earliest_offsets(*refused)
            ends = await self.highwaters(*refused)
        except KafkaError as error:
            logger.warning("offsets out of range, and the log's bounds cannot be had: %r; fetching again", error)
            return
        if not self.flow_active or self._seeks != seeks:
            return  # what was refused is not wanted any more
        for tp, offset in refused.items():
            if tp not in self._next:
                continue
            why = outside_log(tp.topic, tp.partition, offset, BrokerFacts(starts[tp], ends[tp]))
            place = (tp.topic, tp.partition, offset)
            self._unreadable[place] += 1
            if not starts[tp] <= offset <= ends[tp] or self._unreadable[place] >= READ_ATTEMPTS:
                lanes.need_person(why)
            logger.warning("%s; fetching it again", why)

    def _is_current(self, generation: int, seeks: int) -> bool:
        return self.flow_active and self.app.consumer_generation_id == generation and self._seeks == seeks

    def _message(self, tp: TP, records: Records, generation: int) -> ConsumerMessage:
        offset = records.offsets[-1]
        batch = Batch(self.transport.logical_name(tp.topic), tp.partition, generation, self._next[tp], records)
        self._next[tp] = batch.next_offset
        self._delivered[tp].append(offset)
        # Faust drops what is below the last offset it has read, which it may note after a seek back has happened
        self._read_offset[tp] = None
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            records.timestamps[-1] / 1000,
            LOG_APPEND_TIME,
            [],
            None,
            batch,  # type: ignore[arg-type] # the point of this transport: a batch where Faust has a value
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets between two batches' last records are not gaps here."""

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset after the last batch of the acknowledged prefix; later acknowledgements wait for it."""
        acknowledged, delivered = set(self._acked[tp]), self._delivered[tp]
        committable = None
        while delivered and delivered[0] in acknowledged:
            last = delivered.popleft()
            acknowledged.discard(last)
            self._acked_index[tp].discard(last)
            committable = last + 1
        self._acked[tp] = [offset for offset in self._acked[tp] if offset in acknowledged and offset in delivered]
        self._acked_index[tp].intersection_update(self._acked[tp])
        return committable

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's check counts single offsets; the lanes watch their own progress."""


class _Flow:
    """The consumer as the lanes see it: topics by their names in `vigia/topics.py`."""

    def __init__(self, consumer: Consumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        try:
            await self._consumer.move({TP(self._prefix + topic, partition): offset})
        except IllegalStateError as error:
            # the group gave the partition to another worker while the lane was about to read it again
            raise LaneLostError(f"{topic}/{partition} is no longer assigned here") from error

    async def log_end(self, topic: str, partition: int) -> int:
        tp = TP(self._prefix + topic, partition)
        ends = await self._consumer.highwaters(tp)
        return ends[tp]

    def pause(self, topic: str, partition: int) -> None:
        self._consumer.pause_partitions({TP(self._prefix + topic, partition)})

    def resume(self, topic: str, partition: int) -> None:
        self._consumer.resume_partitions({TP(self._prefix + topic, partition)})


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = Consumer

    def __init__(
        self, *args: Any, lanes: Lanes, topic_ids: TopicIds, settings: TransportSettings, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lanes = lanes
        self.topic_ids = topic_ids
        self.settings = settings

    def logical_name(self, topic: str) -> str:
        """Return a topic's name in `vigia/topics.py`."""
        return topic.removeprefix(self.settings.topic_prefix)
