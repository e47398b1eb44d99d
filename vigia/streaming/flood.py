"""Floods of invalid events stop their lane: something upstream is broken, and people should look before more is
refused.

After Sentry's arroyo (DlqLimit): too large a share over enough events, or too many in a row.
"""

from dataclasses import dataclass

from vigia.stores.base import LaneRow


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """`ratio` of invalid events over at least `minimum` events, or `run` invalid ones in a row."""

    ratio: float
    minimum: int
    run: int


@dataclass(frozen=True, slots=True)
class FloodCounters:
    """What a lane remembers: events and invalid ones lately, and the present run of invalid ones."""

    seen: int
    invalid: int
    run: int

    @classmethod
    def of(cls, row: LaneRow) -> "FloodCounters":
        """Return the counters of a lane's row."""
        return cls(row.flood_seen, row.flood_invalid, row.flood_run)

    def after(self, valid: int, invalid: int, trailing_invalid: int, limits: FloodLimits) -> "FloodCounters":
        """Return the counters after a batch that ended with `trailing_invalid` refused events in a row."""
        run = self.run + invalid if valid == 0 else trailing_invalid
        seen, wrong = self.seen + valid + invalid, self.invalid + invalid
        if seen > 10 * limits.minimum and wrong <= limits.ratio * seen:
            # halved, so that a good past does not hide a flood for ever
            seen, wrong = seen // 2, wrong // 2
        return FloodCounters(seen, wrong, run)

    def verdict(self, limits: FloodLimits) -> str:
        """Return why the lane must stop, or the empty string."""
        if self.run >= limits.run:
            return f"{self.run} invalid events in a row (limit {limits.run})"
        if self.seen >= limits.minimum and self.invalid > limits.ratio * self.seen:
            return f"{self.invalid} of the last {self.seen} events are invalid (limit {limits.ratio:.1%})"
        return ""
