"""Which faults a world has, and how often: drawn from its seed, so that some worlds are calm in most respects.

After FoundationDB's swarm of knobs: a fault that is always on hides what needs a quiet moment, and two that are on
together find what neither finds alone.
"""

import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can happen to a call."""

    WELL = "well"
    SLOW = "slow"
    """Answered, but late."""
    REFUSED = "refused"
    """Not performed, and the caller is told to try again."""
    UNANSWERED = "unanswered"
    """Performed, and the answer is lost."""
    LOST = "lost"
    """Not performed, and nobody can tell."""
    LATE = "late"
    """Given up by the caller, and performed after that, whoever is gone by then."""
    REPEATED = "repeated"
    """Performed and answered, and performed once more later."""
    PARTIAL = "partial"
    """Some of the outputs are appended, then the caller is told to try again."""
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


ONCE = {"acquire", "record_attempt"}
"""Calls that no driver repeats by itself."""

CALM = 0.0
SOME = (0.003, 0.01, 0.03)
STRIKES = ("kill", "stop", "pause", "move", "split", "outage", "leader", "push", "election")
"""What happens to processes, the group, the stores, and the broker's clock, commits and unread records."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one call: seconds until it is performed, until the answer is there, and until it comes late."""

    kind: Kind
    there: float
    back: float
    later: float = 0.0
    partial: float = 0.0
    outlives: bool = True
    """Whether the request lands when its process has died meanwhile."""


class Weather:
    """Draws what happens. `calm()` ends all faults."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._latency = rng.choice([0.0005, 0.002, 0.01])
        self._rates = {kind: rng.choice(SOME) for kind in Kind if kind is not Kind.WELL and rng.random() < 0.4}
        self._points = rng.choice(SOME) if rng.random() < 0.3 else CALM
        self.drops = rng.choice((0.05, 0.2)) if rng.random() < 0.4 else CALM
        """Share of fetched batches that never reach their lane."""
        self.overtaking = rng.random() < 0.3
        """Whether a fetch that a seek has overtaken is delivered nevertheless."""
        self.lingering = rng.random() < 0.5
        """Whether a fetch of an older generation may be delivered in a newer one."""
        self.strikes = [strike for strike in STRIKES if rng.random() < 0.4]
        self._is_calm = False

    def calm(self) -> None:
        """Let nothing more happen."""
        self._is_calm = True
        self.drops = CALM

    def delay(self) -> float:
        """Seconds that something on the network takes."""
        return self._rng.expovariate(1 / self._latency)

    def fate(self, call: str) -> Fate:
        """Return what becomes of a call."""
        there, back = self.delay(), self.delay()
        if self._is_calm:
            return Fate(Kind.WELL, there, back)
        kind = self._kind(call)
        if kind is Kind.WELL:
            return Fate(kind, there, back, outlives=self._rng.random() < 0.7)
        if kind is Kind.SLOW:
            there, back = there + self._rng.uniform(0, 1.5), back + self._rng.uniform(0, 1.5)
        return Fate(
            kind, there, back, self._rng.uniform(0.01, 3.0), self._rng.random(), outlives=self._rng.random() < 0.7
        )

    def strikes_at(self) -> bool:
        """Whether the process dies at this crash point."""
        return not self._is_calm and self._points > 0 and self._rng.random() < self._points

    def loses(self) -> bool:
        """Whether this batch is lost on its way."""
        return self.drops > 0 and self._rng.random() < self.drops

    def _kind(self, call: str) -> Kind:
        drawn = self._rng.random()
        for kind, rate in self._rates.items():
            drawn -= rate
            if drawn < 0:
                possible = kind is not Kind.REPEATED or call not in ONCE
                return kind if possible and (kind is not Kind.PARTIAL or call == "publish") else Kind.WELL
        return Kind.WELL
