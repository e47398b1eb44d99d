"""A lane as whoever watches it sees it."""

from typing import Any

from vigia.stores.base import LaneBeat, LaneId, LaneRow
from vigia.streaming.glance import Glance

NOON = 1_700_000_000.0
LANE = LaneId("metrics", 1)
ROW = LaneRow(
    lane=LANE,
    version=5,
    step=4,
    cluster_id="c",
    partition_count=4,
    offsets={"metrics": 100},
    clock=NOON - 3,
    outbox_next=0,
    counts={},
)


def glance(**changes: Any) -> Glance:
    """Return an idle lane with these changes."""
    idle: dict[str, Any] = {"row": ROW, "next_offsets": {"metrics": 100}, "holds": False, "oldest_at": None}
    return Glance(**idle | changes)


def beat(**changes: Any) -> LaneBeat:
    """Return what is told of an idle lane, with these changes."""
    told: dict[str, Any] = {"agent": "metrics", "partition": 1, "state": "idle", "step": 4, "stepped_at": None}
    return LaneBeat(**told | {"clock": NOON, "lag": {"metrics": 0}, "oldest_at": None} | changes)
