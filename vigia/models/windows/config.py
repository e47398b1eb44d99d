"""The rules' numbers, and the arithmetic of window starts and watermarks that follows from them."""

from dataclasses import dataclass

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class WindowConfig:
    """The rules' numbers, all in seconds but `series_cap`."""

    window: int = 60
    """Length of a tumbling window."""
    lateness: float = 5.0
    """How long after its end a window waits for samples, in event time."""
    series_idle: float = 300.0
    """By how much longer it waits for a series that fell silent, in its service's event time."""
    idle_timeout: float = 60.0
    """A service without samples for so long, in Kafka time, has its windows closed by Kafka time."""
    retention: float = 7.0 * DAY
    """For how long windows are kept, and late samples still correct them, in the service's event time."""
    retention_hours: float = 90.0 * DAY
    """For how long hours are kept; at least a day longer."""
    retention_days: float = 1_826.0 * DAY
    """For how long days are kept; at least as long as hours."""
    series_cap: int = 1_000
    """Most series of one service."""
    series_forget: float = 86_400.0
    """A series is forgotten when it has been silent for so long, in its service's event time."""
    problem_forget: float = 3.0 * DAY
    """The same of a series with an open problem, if that is longer."""
    stale_after: float = 900.0
    """A window that closes so long after its end, in Kafka time, gives stale problems."""

    def start_of(self, ts: float) -> int:
        """Return the start of the window that `ts` falls into."""
        return int(ts // self.window) * self.window

    def closes_at(self, start: int) -> float:
        """Return the event time at which the window from `start` closes."""
        return start + self.window + self.lateness

    def boundary_at(self, latest: float) -> int:
        """Return the end of the last window that closes by `latest`, in event time.

        Decided by the comparison by which windows close: subtracting the lateness instead could round to another
        answer.

        >>> config = WindowConfig(window=60, lateness=5.0)
        >>> config.boundary_at(124.9), config.boundary_at(125.0)
        (60, 120)
        """
        boundary = self.start_of(latest - self.lateness) + self.window
        while boundary + self.lateness > latest:
            boundary -= self.window
        return boundary
