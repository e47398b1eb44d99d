"""How the installation is: read from the summaries' database in a few small queries, and judged.

It asks neither the broker nor the workers, so it answers when they do not. Lag and age are what the owner of a lane
said at its last beat; where no living worker owns a lane, they are unknown, and that itself is a finding.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Literal

import msgspec

from vigia.events.summaries import SenderSurplusSummary
from vigia.stores.base import LaneBeat, LaneId, WorkerRow
from vigia.stores.queries.dead_letter_counts import DeadLetterCount, dead_letter_counts
from vigia.stores.queries.lane_positions import LanePosition, lane_positions
from vigia.stores.queries.outbox_left import outbox_left
from vigia.stores.queries.surpluses import surpluses
from vigia.stores.sql.summaries import SqlSummaries

DAY = 86_400


class WorkerStatus(msgspec.Struct, frozen=True):
    """A worker; `slot` names its own figures, `age` is seconds since its last beat. `gone` is one that is late and has
    no lane left: others have taken them, and its row will be forgotten.
    """

    worker: str
    host: str
    pid: int
    slot: int
    version: str
    state: Literal["beating", "late", "gone"]
    age: float
    uptime: float
    resident: int
    lanes: int


class LaneStatus(msgspec.Struct, frozen=True):
    """A lane; `worker` is its owner, empty when that one gives no sign of life. Lag, ages (s) and state are None where
    nobody can say. `step_age` is since the owner saw the lane's step rise.
    """

    lane: str
    worker: str
    state: str | None
    step: int
    step_age: float | None
    lag: dict[str, int] | None
    oldest_age: float | None
    outbox: int
    stopped: str


class Status(msgspec.Struct, frozen=True):
    """All of it; `findings` are what needs a person, empty when nothing does."""

    findings: list[str]
    workers: list[WorkerStatus]
    lanes: list[LaneStatus]
    dead_letters: list[DeadLetterCount]

    @property
    def healthy(self) -> bool:
        """Whether nothing needs a person."""
        return not self.findings


def read_status(summaries: SqlSummaries, now: float, oldest_allowed: float) -> Status:
    """Return how things are at `now` (epoch seconds by the store's clock).

    A record older than `oldest_allowed` (s) needs a person. Raises as the store does.
    """
    rows, positions, waiting = summaries.workers(), lane_positions(summaries), outbox_left(summaries)
    owned = Counter(position.owner for position in positions)
    workers = [_worker(row, now, owned[row.worker]) for row in rows]
    beats = _beats(rows, now)
    lanes = [_lane(each, beats.get((each.owner, each.agent, each.partition)), waiting, now) for each in positions]
    findings = [*_about_workers(workers), *_about_lanes(positions, lanes, workers, oldest_allowed)]
    findings += _about_senders(surpluses(summaries, int(now // DAY) - 1, int(now // DAY) + 2))
    return Status(findings, workers, lanes, dead_letter_counts(summaries))


def _beats(rows: list[WorkerRow], now: float) -> dict[tuple[str, str, int], LaneBeat]:
    """Return what each living worker says of each lane."""
    return {(row.worker, beat.agent, beat.partition): beat for row in rows if not row.late(now) for beat in row.lanes}


def _worker(row: WorkerRow, now: float, owned: int) -> WorkerStatus:
    state: Literal["beating", "late", "gone"] = "beating"
    if row.late(now):
        state = "late" if owned else "gone"
    return WorkerStatus(
        row.worker,
        row.host,
        row.pid,
        row.slot,
        row.version,
        state,
        max(0.0, now - row.beat_at),
        max(0.0, now - row.started_at),
        row.resident,
        owned,
    )


def _lane(position: LanePosition, beat: LaneBeat | None, waiting: dict[LaneId, int], now: float) -> LaneStatus:
    lane = LaneId(position.agent, position.partition)
    oldest = None if beat is None or beat.oldest_at is None else max(0.0, now - beat.oldest_at)
    stepped = None if beat is None or beat.stepped_at is None else max(0.0, now - beat.stepped_at)
    return LaneStatus(
        lane=str(lane),
        worker=position.owner if beat else "",
        state="stopped" if position.stopped else (beat.state if beat else None),
        step=position.step,
        step_age=stepped,
        lag=beat.lag if beat else None,
        oldest_age=oldest,
        outbox=waiting.get(lane, 0),
        stopped=position.stopped,
    )


def _about_workers(workers: list[WorkerStatus]) -> list[str]:
    if not any(worker.state == "beating" for worker in workers):
        return ["no worker gives a sign of life"]
    return [
        f"worker {worker.worker} is late: its last sign of life is {worker.age:.0f} s old, and it owns "
        f"{worker.lanes} lanes"
        for worker in workers
        if worker.state == "late"
    ]


def _about_senders(found: list[SenderSurplusSummary]) -> list[str]:
    return [
        f"{each.sender} said more of {each.counted_by} {each.record_key!r} on {_date(each.day)} than its "
        f"{each.a_day} a day: {each.surplus} refused (`over_limit`)"
        for each in found
    ]


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%d")


def _about_lanes(
    positions: list[LanePosition], lanes: list[LaneStatus], workers: list[WorkerStatus], oldest_allowed: float
) -> list[str]:
    known = {worker.worker: worker for worker in workers}
    found = [
        f"lane {lane.lane} is stopped: {lane.stopped}; release it with "
        f"`python -m scripts.dead_letters accept {lane.lane} --yes`"
        for lane in lanes
        if lane.stopped
    ]
    nobodys = [
        lane.lane
        for position, lane in zip(positions, lanes, strict=True)
        # a worker that has just taken a lane over tells of it at its next beat; of a late one it is said already
        if position.owner not in known or known[position.owner].state == "gone"
    ]
    if nobodys and any(worker.state == "beating" for worker in workers):
        found.append(f"no living worker owns {', '.join(nobodys)}")
    found += [
        f"lane {lane.lane} is behind: its oldest record waits for {lane.oldest_age:.0f} s"
        for lane in lanes
        if lane.oldest_age is not None and lane.oldest_age > oldest_allowed and not lane.stopped
    ]
    return found
