"""What detectors are given and what they answer."""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from vigia.events.feedback import Severity
from vigia.events.problems import ProblemStatus

D = TypeVar("D")


class ClosedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The window [start, end) of one series as it closed; times are epoch seconds. `count` is at least 1."""

    start: int
    end: int
    count: int
    sum: float
    min: float
    max: float
    stale: bool
    """Closed so long after its end that nothing found in it may be acted on."""

    @property
    def mean(self) -> float:
        """Sum by count."""
        return self.sum / self.count


@dataclass(frozen=True)
class Finding:
    """A change of one problem: it opened (or was found stale), or is resolved.

    `number` counts the problems that the detector has opened on the series, from 1; `version` the changes of this one.
    """

    status: ProblemStatus
    severity: Severity
    number: int
    version: int
    opened_at: float
    why: str
    evidence: dict[str, float] = field(default_factory=dict)


class Detector(Protocol[D]):
    """One kind of problem. `D` is the plain data it remembers of a series."""

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""

    def watches(self, metric: str, kind: str) -> bool:
        """Whether it looks at series of this metric and kind."""

    def judge(self, state: D | None, window: ClosedWindow) -> tuple[D, Finding | None]:
        """Return the state after `window`, and what changed by it; windows come in ascending order, with gaps."""
