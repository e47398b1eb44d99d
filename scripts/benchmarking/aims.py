"""What the figures were aimed at, and whether that was reached."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from scripts.benchmarking.contest.contest import rate

PYTHON_PEERS = ("bytewax", "quix", "faust")


class Aim(NamedTuple):
    """A figure and the least that it was to be; NaN where it was not measured."""

    what: str
    least: float
    figure: float

    @property
    def verdict(self) -> str:
        """Whether the aim was reached."""
        if math.isnan(self.figure):
            return "not measured"
        return "met" if self.figure >= self.least else "not met"


def aims(rows: Sequence[Mapping[str, Any]]) -> list[Aim]:
    """Return all aims of the contest."""
    rates = {(row["contender"], row["points"]): rate(row) for row in rows}

    def of(name: str, points: int = 1) -> float:
        return rates.get((name, points), math.nan)

    peers = [of(name) for name in PYTHON_PEERS if not math.isnan(of(name))]
    best = max(peers) if peers else math.nan
    agent = of("vigia-forgetting")
    return [
        Aim("(b) by (a), the bare loop", 0.7, agent / of("floor")),
        Aim("(b) by Kafka Streams, 1 thread, in memory", 1.0, agent / of("kafka-streams-memory")),
        Aim("(b) by the best Python peer", 2.5, agent / best),
        Aim("(d) by (b)", 0.35, of("vigia") / agent),
        Aim("(d) packed, samples/s", 215_000, of("vigia", 100)),
    ]
