"""What must hold before partitions are added: nobody works, nobody sends, and everything that was sent is applied.

Each check says what is wrong and what to do; all of them are looked at, so that a person sees everything at once.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from scripts.operations.kafka_view import Log, Partition
from scripts.operations.lane_moving import Refused
from scripts.repartitioning.kafka import GrowingKafka
from vigia.stores.base import LaneId, LaneRow, WorkerRow
from vigia.stores.queries.outbox_left import outbox_left
from vigia.stores.sql.summaries import SqlSummaries
from vigia.streaming.repartition import Repartition
from vigia.streaming.route import Route

SHOWN = 3
"""Examples that a message names."""


@dataclass(frozen=True)
class Situation:
    """How things are. `counts` is the number of partitions that each topic has, `logs` where their logs are now, and
    `waiting` what of them is not applied; `moving` are the states that change lanes.
    """

    plan: Repartition
    cluster_id: str
    held: list[LaneRow]
    counts: dict[str, int]
    states: int
    moving: int
    timers: int
    objections: list[str]

    @property
    def growing(self) -> dict[str, int]:
        """The topics that lack partitions, and how many they have."""
        return {topic: found for topic, found in self.counts.items() if found < self.plan.after}


@dataclass(frozen=True)
class Asked:
    """What a person asks for: the number of partitions, for how many seconds logs must stand still, and whether records
    that wait may be overtaken.
    """

    count: int
    watch: float
    despite_lag: bool = False


def look(
    summaries: SqlSummaries,
    kafka: GrowingKafka,
    route: Route,
    asked: Asked,
    sleep: Callable[[float], None] = time.sleep,
) -> Situation:
    """Return how things are, with everything that speaks against it.

    Raises Refused when there is nothing to do, or no way to do it.
    """
    topics = tuple(topic.name for topic in route.topics)
    counts = dict(kafka.counts(topics))
    if missing := [topic for topic in topics if topic not in counts]:
        raise Refused(f"there is no topic {', '.join(missing)}: `python -m scripts.topics apply` creates it")
    held = [row for row in summaries.lanes() if row.lane.agent == route.agent]
    plan = Repartition(route.agent, topics, route.model, _before(route, held, counts, asked.count), asked.count)
    cluster_id = kafka.cluster_id()
    objections = [
        *_about_lanes(held, cluster_id),
        *_about_workers(summaries.workers(), summaries.now()),
        *_about_outbox(summaries, route.agent),
        *_about_topics(plan, counts),
        *_about_timers(summaries, held),
        *_about_logs(kafka, plan, held, counts, asked, sleep),
    ]
    states, moving, misplaced = _about_states(summaries, plan, held)
    timers = sum(len(summaries.timers(row.lane)) for row in held)
    return Situation(plan, cluster_id, held, counts, states, moving, timers, [*objections, *misplaced])


def _before(route: Route, held: list[LaneRow], counts: Mapping[str, int], count: int) -> int:
    known = {row.partition_count for row in held} or set(counts.values())
    if len(known) > 1:
        listing = ", ".join(f"{row.lane}: {row.partition_count}" for row in held)
        raise Refused(f"the lanes of {route.agent} know different numbers of partitions ({listing})")
    (before,) = known
    if before == count == min(counts.values()):
        raise Refused(f"{route.agent} has {count} partitions already, and so have its lanes: there is nothing to do")
    if count <= before:
        raise Refused(f"{route.agent} has {before} partitions, and Kafka cannot take any away: give more than {before}")
    return before


def _about_lanes(held: list[LaneRow], cluster_id: str) -> Iterator[str]:
    for row in held:
        if row.cluster_id != cluster_id:
            yield f"lane {row.lane} is on cluster {row.cluster_id}, but {cluster_id} answers: look at kafka.bootstrap"
        if row.stopped:
            yield (
                f"lane {row.lane} is stopped ({row.stopped}): release it with `python -m scripts.dead_letters accept "
                f"{row.lane} --yes`, and let a worker apply what waits"
            )


def _about_workers(workers: list[WorkerRow], now: float) -> Iterator[str]:
    for row in workers:
        if not row.late(now):
            yield f"worker {row.worker} gives signs of life ({now - row.beat_at:.0f} s ago): end all workers"


def _about_outbox(summaries: SqlSummaries, agent: str) -> Iterator[str]:
    for lane, count in sorted(outbox_left(summaries).items()):
        if lane.agent == agent:
            yield f"lane {lane} has {count} outputs that wait to be published: let a worker publish them"


def _about_topics(plan: Repartition, counts: Mapping[str, int]) -> Iterator[str]:
    for topic, count in counts.items():
        if count not in {plan.before, plan.after}:
            yield (
                f"topic {topic} has {count} partitions, neither {plan.before} as its lanes know nor {plan.after}: "
                f"give {max(counts.values())}"
            )


def _about_timers(summaries: SqlSummaries, held: list[LaneRow]) -> Iterator[str]:
    for row in held:
        due = summaries.next_due(row.lane)
        if due is not None and due <= row.clock:
            yield f"lane {row.lane} has timers that its clock has passed: let a worker fire them"


def _about_logs(
    kafka: GrowingKafka,
    plan: Repartition,
    held: list[LaneRow],
    counts: Mapping[str, int],
    asked: Asked,
    sleep: Callable[[float], None],
) -> Iterator[str]:
    """Look whether everything is applied and nothing comes any more."""
    partitions = [(topic, number) for topic, count in counts.items() for number in range(count)]
    first = kafka.logs(partitions)
    sleep(asked.watch)
    logs = kafka.logs(partitions)
    if moved := [each for each in partitions if logs[each].end != first[each].end]:
        yield f"records come in ({_named(moved)} grew within {asked.watch:g} s): stop the senders"
    if outside := list(_outside(held, logs)):
        yield f"{_named(outside)} stand outside their logs: look at `python -m scripts.lanes list`, and move them first"
        return
    behind = kafka.has_records(_behind(plan, held, logs))
    if not behind:
        return
    text = f"{_named(sorted(behind))} hold records that are not applied"
    if all(count == plan.before for count in counts.values()):
        yield f"{text}: let the workers apply them, then end the workers"
    elif not asked.despite_lag:
        # workers refuse to start: the partitions were added by hand, or senders were faster than an interrupted run
        yield (
            f"{text}, and no worker starts while the topics have more partitions than the lanes know. With "
            "--despite-lag they are sent on to their new lanes afterwards: each counts once, but a later record of the "
            "same key may overtake it"
        )


def _behind(plan: Repartition, held: list[LaneRow], logs: Mapping[Partition, Log]) -> dict[Partition, int]:
    """Return from which offset the lanes there are would read on, where the log goes on behind it."""
    rows = {row.lane: row for row in held}
    found = {}
    for (topic, number), log in logs.items():
        if number >= plan.before:
            continue  # a lane that begins with this repartition: what waits there is where it belongs
        row = rows.get(LaneId(plan.agent, number))
        offset = log.start if row is None else row.offsets.get(topic, log.start)
        if offset < log.end:
            found[topic, number] = offset
    return found


def _outside(held: list[LaneRow], logs: Mapping[Partition, Log]) -> Iterator[Partition]:
    for row in held:
        for topic, offset in row.offsets.items():
            place = topic, row.lane.partition
            if place in logs and not logs[place].start <= offset <= logs[place].end:
                yield place


def _about_states(summaries: SqlSummaries, plan: Repartition, held: list[LaneRow]) -> tuple[int, int, list[str]]:
    """Return how many states there are, how many change lanes, and what lies where its key does not belong."""
    states = moving = 0
    wrong: list[str] = []
    for row in held:
        number = row.lane.partition
        for key in summaries.state_keys(row.lane):
            states += 1
            moving += plan.lane_of(key) != number
            if plan.lane_before(key) != number and len(wrong) < SHOWN:
                wrong.append(
                    f"the state of {key!r} lies in lane {row.lane}, where its key does not belong: nothing is moved "
                    "before it is known why. Rebuild the summaries, and compare"
                )
    return states, moving, wrong


def _named(partitions: list[Partition]) -> str:
    some = ", ".join(f"{topic}/{number}" for topic, number in partitions[:SHOWN])
    return some if len(partitions) <= SHOWN else f"{some} and {len(partitions) - SHOWN} more"
