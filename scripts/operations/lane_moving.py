"""Takes one lane to another offset of one topic, by hand: what it skips, or reads again, and when that is refused.

It is kept as an intervention, in the place of a step, so a rebuild does the same at the same point.
"""

import getpass
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.operations.kafka_view import Kafka, Log
from vigia.stores.base import LaneId, LaneRow
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.summaries import SqlSummaries


class Refused(Exception):
    """It is not done; the message says why, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """What a person wants: the lane's next offset of a topic, and why."""

    lane: LaneId
    topic: str
    offset: int
    because: str


@dataclass(frozen=True)
class Move:
    """A move that can be done. `anew` says that the topic is not the one that the lane has read."""

    row: LaneRow
    done: Intervention
    log: Log
    anew: bool

    def lines(self) -> list[str]:
        """Say what it does, for people."""
        done, lane = self.done, self.done.lane
        lines = [f"lane {lane}, topic {done.topic}: from offset {done.before} to {done.after} (log: {_log(self.log)})"]
        if self.anew:
            lines.append("the topic was created anew: its old id is forgotten")
        if self.anew or done.before > self.log.end:
            lines.append(
                "its offsets are given out a second time: the raw log cannot tell the two records of one offset apart, "
                "so this time cannot be rebuilt"
            )
        elif done.after > done.before:
            lines.append(f"offsets {done.before} to {done.after - 1} are skipped: what they hold is never applied")
        else:
            lines.append(
                f"offsets {done.after} to {done.before - 1} are read again: events with ids that are still remembered "
                "count once, samples without ids count twice"
            )
        if self.row.stopped:
            lines.append(f"the lane stays stopped: {self.row.stopped}")
        return lines


def plan_move(
    summaries: SqlSummaries, kafka: Kafka, reads: Mapping[str, list[str]], wanted: Wanted, now: float
) -> Move:
    """Return the move, at `now` (epoch seconds); `reads` are the topics of each agent.

    Raises Refused when it must not be done.
    """
    lane, topic, offset = wanted.lane, wanted.topic, wanted.offset
    row = summaries.read_lane(lane)
    if row is None:
        known = ", ".join(str(each.lane) for each in summaries.lanes()) or "none yet"
        raise Refused(f"there is no lane {lane}; there are: {known}")
    topics = reads.get(lane.agent, [])
    if topic not in topics:
        raise Refused(f"{lane.agent} reads {', '.join(topics)}, not {topic} (names stand without the prefix)")
    known_at = summaries.now()
    if any(worker.worker == row.owner and not worker.late(known_at) for worker in summaries.workers()):
        raise Refused(f"worker {row.owner} owns lane {lane} and is alive: it would go on as before. End all workers")
    cluster = kafka.cluster_id()
    if cluster != row.cluster_id:
        raise Refused(f"lane {lane} is on cluster {row.cluster_id}, but {cluster} answers: look at kafka.bootstrap")
    log = kafka.logs([(topic, lane.partition)])[topic, lane.partition]
    if not log.start <= offset <= log.end:
        raise Refused(f"offset {offset} lies outside the log of {topic}/{lane.partition}: {_log(log)}")
    kept, found = summaries.topic_ids(lane).get(topic, ""), kafka.topic_ids([topic]).get(topic, "")
    anew = bool(kept and found and kept != found)
    before = row.offsets.get(topic, log.start)
    if before == offset and not anew:
        raise Refused(f"lane {lane} is at offset {offset} of {topic} already")
    done = Intervention(
        lane=lane,
        sequence=row.step + 1,
        kind="move",
        topic=topic,
        before=before,
        after=offset,
        at=now,
        by=whoever(),
        because=wanted.because,
    )
    return Move(row, done, log, anew)


def whoever() -> str:
    """Return who is at the keyboard, and where."""
    return f"{getpass.getuser()}@{socket.gethostname()}"[:200]


def _log(log: Log) -> str:
    return f"{log.start} to {log.end}"
