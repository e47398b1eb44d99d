"""What detectors are given and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from vigia.events.feedback import Severity
from vigia.events.problems import ProblemStatus
from vigia.events.samples import Series


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
    digest: bytes = b""
    """The window's quantile sketch (`vigia.models.windows.totals.sketch_in`), for detectors that ask for it."""

    @property
    def mean(self) -> float:
        """Sum by count."""
        return self.sum / self.count


@dataclass(frozen=True)
class Finding:
    """A change of one problem: it opened (or was found stale), became worse, or is resolved.

    `number` counts the problems that the detector has opened on the series, from 1; `version` the changes of this one.
    """

    status: ProblemStatus
    severity: Severity
    number: int
    version: int
    opened_at: float
    why: str
    evidence: dict[str, float] = field(default_factory=dict)
    begins: bool = False
    """Whether a problem begins to count with it: it was not open before, or only as a stale one."""


Companion = Callable[[str], float | None]
"""Gives the latest mean of another series with the environment and labels of this one, by its metric; None when it is
not known or not recent. Only metrics that a detector names in `companions` are kept."""


class Detector(Protocol):
    """One kind of problem, with its limits. What it remembers of a series is plain data of its own kind, a `Course`."""

    @property
    def enabled(self) -> bool:
        """Whether it opens problems at all."""

    @property
    def name(self) -> str:
        """The name in problems and in `config/detectors.toml`."""

    @property
    def companions(self) -> tuple[str, ...]:
        """Metrics whose latest value it may ask for."""

    def watches(self, series: Series) -> bool:
        """Whether it looks at a series."""

    def wants_sketch(self, series: Series) -> bool:
        """Whether the windows of a series that it watches must come with their sketch."""

    def anew(self, opened: int) -> Any:
        """Return the state of a series of which nothing is known but how many problems were opened."""

    def judge(
        self, state: Any, window: ClosedWindow, series: Series, companion: Companion
    ) -> tuple[Any, Finding | None]:
        """Return the state after `window`, and what changed by it; windows come in ascending order, with gaps, and hold
        finite numbers.

        The detector owns `state`: what it learned may be changed in place, the fields of its `Course` never.
        """
