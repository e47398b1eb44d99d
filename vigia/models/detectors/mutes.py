"""Mutes and maintenance windows: spans of time in which no problem opens, with who said so and why.

A window that ends within a mute is not looked at unless a problem is open, which may be resolved but becomes no worse.
So a mute also keeps what happens in a maintenance from becoming usual. What still is wrong afterwards opens then.
"""

from datetime import datetime

from vigia.events.samples import Series
from vigia.models.detectors.matching import Match


class Mute(Match, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """No problems of the detectors named (all, without) on these series, from `since` to before `until`."""

    since: datetime
    until: datetime
    author: str
    reason: str
    detectors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, time in (("from", self.since), ("until", self.until)):
            if time.tzinfo is None:
                raise ValueError(f"`{name}` has no offset: write 2026-01-31T12:00:00Z")
        if self.since >= self.until:
            raise ValueError(f"`from` ({self.since.isoformat()}) must be before `until` ({self.until.isoformat()})")
        for name in ("author", "reason"):
            if not getattr(self, name).strip():
                raise ValueError(f"`{name}` is empty: a mute says who wants it and why")

    def holds(self, series: Series, detector: str, at: float) -> bool:
        """Return whether problems of `detector` on `series` are muted at the epoch time `at`."""
        return (
            self.since.timestamp() <= at < self.until.timestamp()
            and (not self.detectors or detector in self.detectors)
            and self.matches(series)
        )
