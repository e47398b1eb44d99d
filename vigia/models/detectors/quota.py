"""A limit on how many problems a service may open in an hour, and the one problem that says when it is reached.

Whoever gets a hundred problems at once reads none of them. Those beyond the limit do not open; what is still wrong in
the next hour opens then.
"""

import msgspec

NAME = "problem_limit"

HOUR = 3_600


class Quota(msgspec.Struct, array_like=True):
    """What one service has opened in the hour that its windows have come to."""

    hour: int = 0
    opened: int = 0
    held: int = 0
    """Problems that did not open in that hour. A problem counts each time it would have opened, so again each window.
    """
    reached: int = 0
    """How often the limit was reached, ever: numbers the problems that say so."""
    since: float = 0.0
    """When the present hour reached it, as an event time; 0 when it has not, or when that is over."""
    environment: str = ""
    """That of the series which reached it."""

    @property
    def end(self) -> int:
        """When the hour is over, as an event time."""
        return (self.hour + 1) * HOUR

    def begin(self, hour: int) -> None:
        """Begin to count anew for an hour, in hours since the epoch."""
        self.hour, self.opened, self.held, self.since = hour, 0, 0, 0.0
