"""Whether everything fed has been accounted for: when a run on finite input is drained, and its report.

Figures in the database grow for ever; a run's own are those at the end minus those at the start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vigia.events import figures
from vigia.events.figures import topic_figure
from vigia.topics import TOPICS

Partition = tuple[str, int]

INPUT_TOPICS = tuple(topic.name for topic in TOPICS if any(reader.endswith("-agent") for reader in topic.read_by))
"""Topics that an agent of ours reads, and so counts."""

SHOWN_FIGURES = ("in", "applied", "duplicate", "invalid", "moved")
TICKS = frozenset(topic_figure(topic, "ticks") for topic in INPUT_TOPICS)

REPORTED = {
    "windows": figures.WINDOWS_CLOSED,
    "deployments_scored": figures.DEPLOYMENTS_SCORED,
    "outcomes_learned": figures.OUTCOMES_LEARNED,
    "problems": figures.PROBLEMS_OPENED,
    "proposals": figures.PROPOSALS_MADE,
}
"""Names in the report, and the figures of the lanes they show."""

SETTLE_SECONDS = 1.5
"""How long nothing may have changed: longer than an output takes from its outbox to the lane that reads it."""

TIMER_HORIZON = 120.0
"""Seconds; covers a window that has just opened. What is due later (a proposal's expiry) is no part of finite input."""


@dataclass(frozen=True)
class Reading:
    """What the summaries' database says at one moment, over all lanes of the run's cluster."""

    figures: Mapping[str, int] = field(default_factory=dict)
    positions: Mapping[Partition, int] = field(default_factory=dict)
    """Next offset to be applied."""
    outbox: int = 0
    """Outputs that wait to be published."""
    next_due: float | None = None
    """When the earliest timer is due, in epoch seconds."""
    stopped: Sequence[str] = ()
    """Why lanes have stopped, one sentence a lane."""


def since(now: Mapping[str, int], start: Mapping[str, int]) -> dict[str, int]:
    """Return the figures of a run that began at `start`."""
    return {name: now.get(name, 0) - start.get(name, 0) for name in now.keys() | start.keys()}


def lags(positions: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[str, int]:
    """Return the records per topic that are written and not applied."""
    behind: dict[str, int] = {}
    for (topic, partition), end in ends.items():
        behind[topic] = behind.get(topic, 0) + max(0, end - positions.get((topic, partition), 0))
    return behind


class Drain:
    """Recognises that finite input has come to rest: all applied, outputs published, and nothing changes any more.

    What still happens by itself has its timer, such as a window that closes when its service falls silent; a timer
    within `TIMER_HORIZON` is waited for. Ticks go on for ever and do not count. `clock` is wall time, in epoch seconds.
    """

    def __init__(self, clock: Callable[[], float], settle: float = SETTLE_SECONDS) -> None:
        self._clock = clock
        self._settle = settle
        self._last: object = None
        self._quiet_since = 0.0
        self._ends: Mapping[Partition, int] = {}

    def observe(self, reading: Reading, read_ends: Callable[[], Mapping[Partition, int]]) -> bool:
        """Take another look; returns True once the input is drained."""
        now = self._clock()
        present = ({name: n for name, n in reading.figures.items() if name not in TICKS}, reading.outbox)
        if present != self._last:
            self._last = present
            self._quiet_since = now
            # what is written from here on is ticks, or it changes a figure when it is applied
            self._ends = read_ends()
            return False
        if reading.outbox or any(lags(reading.positions, self._ends).values()):
            return False
        if reading.next_due is not None and reading.next_due <= now + TIMER_HORIZON:
            return False
        return now - self._quiet_since >= self._settle


def topic_counts(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the per-topic part of a report."""
    return {topic: {name: counts.get(topic_figure(topic, name), 0) for name in SHOWN_FIGURES} for topic in INPUT_TOPICS}


def unaccounted(counts: Mapping[str, int], sent: Mapping[str, int]) -> list[str]:
    """Return a sentence for each topic whose figures do not add up to what was fed."""
    found = []
    for topic, row in topic_counts(counts).items():
        parts = row["applied"] + row["duplicate"] + row["invalid"] + row["moved"]
        if row["in"] != parts:
            found.append(f"{topic}: {row['in']} came in, but applied + duplicate + invalid + moved are {parts}")
        arrived = row["in"] - row["moved"]
        if topic in sent and arrived != sent[topic]:
            found.append(f"{topic}: {sent[topic]} were sent, but {arrived} came in ({sent[topic] - arrived} missing)")
    found += [
        f"{topic}: {number} were sent, but no agent reads it"
        for topic, number in sent.items()
        if topic not in INPUT_TOPICS
    ]
    return found


def report(counts: Mapping[str, int], sent: Mapping[str, int], seconds: float, *, accounted: bool) -> dict[str, Any]:
    """Return what `run --once` prints as its last line."""
    return {
        "topics": topic_counts(counts),
        **{name: counts.get(figure, 0) for name, figure in REPORTED.items()},
        "seconds": round(seconds, 2),
        "sent": dict(sorted(sent.items())),
        "accounted": accounted,
    }
