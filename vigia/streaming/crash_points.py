"""Points between two effects of a step, where a test may strike. In production nobody listens.

The composition root passes the listener in, so no code asks whether it runs under a test.
"""

from enum import StrEnum
from typing import Protocol


class Point(StrEnum):
    """Every moment between two effects of the step, in order."""

    TAKEN = "taken"
    RAW_APPENDED = "raw_appended"
    COMPUTED = "computed"
    COMMITTED = "committed"
    PUBLISHED = "published"
    OUTBOX_DELETED = "outbox_deleted"
    ACKNOWLEDGED = "acknowledged"


class CrashPoints(Protocol):
    """Told of every point that a lane reaches."""

    def reached(self, point: Point) -> None:
        """May end the process."""


class NoCrashPoints:
    """Production: nothing happens."""

    def reached(self, point: Point) -> None:
        """Do nothing."""
