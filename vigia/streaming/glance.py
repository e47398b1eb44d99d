"""A lane at one moment, for whoever watches: taken from another thread too, so it reads plain attributes only."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vigia.stores.base import LaneRow


@dataclass(frozen=True, slots=True)
class Glance:
    """`next_offsets` is what each topic is applied up to; `holds` whether records wait here or are being applied;
    `oldest_at` Kafka's time (epoch seconds) of the first of them, when it is known; `lost` whether the lane is another
    worker's; `busy` the seconds spent in steps since the lane was taken over, retries and waiting included; `task` what
    works on it. `moves` rises with everything that it brings to an end, committed or not. `full`: it takes nothing more
    for now, and whoever delivers to this worker's lanes waits for it.
    """

    row: LaneRow
    next_offsets: Mapping[str, int]
    holds: bool
    oldest_at: float | None
    lost: bool = False
    busy: float = 0.0
    moves: int = 0
    full: bool = False
    task: "asyncio.Task[Any] | None" = None
