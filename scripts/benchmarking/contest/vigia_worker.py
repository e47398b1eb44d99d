"""Vigia's worker with its stores, or with stores that forget: `python -m ...vigia_worker none|summaries|both`.

It is the real worker process; only what the stores do is replaced, and each commit is counted on standard output.
"""

import os
import sys
import time
from typing import Any

from vigia.app.opening import Stores, open_stores
from vigia.app.worker import run_worker
from vigia.events.effects import Timer
from vigia.settings import load
from vigia.stores.base import LaneId, LaneRow, Loaded, StepCommit
from vigia.stores.sql.summaries import SqlSummaries


class ForgettingRawLog:
    """Accepts raw events and forgets them."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def append(self, batch: object) -> None:
        """Keep nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class ForgettingSummaries:
    """Remembers where each lane is, and forgets everything else."""

    def __init__(self, real: SqlSummaries) -> None:
        self._real = real
        self._lanes: dict[LaneId, LaneRow] = {}

    def acquire(self, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
        self._lanes[lane] = self._real.acquire(lane, owner, cluster_id, partition_count)
        return self._lanes[lane]

    def read_lane(self, lane: LaneId) -> LaneRow | None:
        return self._lanes.get(lane)

    def load(self, *_: object) -> Loaded:
        return Loaded()

    def due(self, *_: object) -> list[Timer]:
        return []

    def next_due(self, *_: object) -> None:
        """There is no timer."""

    def rows(self, *_: object) -> dict[tuple[object, ...], object]:
        return {}

    def commit(self, commit: StepCommit) -> None:
        self._lanes[commit.lane.lane] = commit.lane

    def outbox(self, *_: object) -> list[object]:
        return []

    def delete_outbox(self, *_: object) -> None:
        """There is none."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class CountingSummaries:
    """Prints the time and how many samples have been applied after each commit of the metrics agent."""

    def __init__(self, stores: Any) -> None:
        self._stores = stores
        self._applied: dict[LaneId, int] = {}
        self._before: dict[LaneId, int] = {}
        self._earlier = 0

    def acquire(self, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
        row: LaneRow = self._stores.acquire(lane, owner, cluster_id, partition_count)
        self._earlier += self._applied.pop(lane, 0)  # a rebalance takes lanes over again
        self._before[lane] = row.counts.get("metrics.applied", 0)
        return row

    def commit(self, commit: StepCommit) -> None:
        self._stores.commit(commit)
        lane = commit.lane.lane
        if lane.agent != "metrics":
            return  # what earlier runs have left for other agents
        self._applied[lane] = commit.lane.counts.get("metrics.applied", 0) - self._before[lane]
        # lanes commit in threads of their own: one write each, or their lines would mix
        os.write(1, f"PROGRESS {time.time():.4f} {self._earlier + sum(self._applied.values())}\n".encode())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stores, name)


def main(kept: str) -> int:
    """Work until asked to stop."""
    settings = load()
    real = open_stores(settings)
    raw: Any = real.raw_log if kept == "both" else ForgettingRawLog(real.raw_log)
    summaries: Any = real.summaries if kept in {"both", "summaries"} else ForgettingSummaries(real.summaries)
    return run_worker(settings, stores=Stores(raw, CountingSummaries(summaries)))  # type: ignore[arg-type] # stand-ins


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
