"""Kafka's time, as far as this machine can tell: timers are due by it, and a worker's own figures are stamped with it.

Every acknowledgement of the broker has the time that it gave the record, which lies between sending and receiving. So
each bounds how far this machine's clock is off, as in NTP (RFC 5905, section 8), but with bounds instead of a midpoint:
a clock that cannot be shown to be wrong is taken as it is.
"""

import logging
from collections.abc import Callable

SAY_BEYOND = 1.0
"""Seconds of difference, or of its change, that are worth a line in the log."""

STEPPED_BY = 1.0
"""Seconds by which the wall clock may leave the monotonic one until it counts as set: drift is far smaller."""

MILLISECOND = 0.001

logger = logging.getLogger(__name__)


class KafkaClock:
    """`wall` is this machine's time in epoch seconds, `monotonic` seconds that only pass. Safe to use from any thread.

    >>> clock = KafkaClock(lambda: 1000.0, lambda: 0.0)
    >>> clock.now()
    1000.0
    >>> clock.learn(1000.0, 600.2)
    >>> round(clock.now(), 2)
    600.2
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self.wall = wall
        self._monotonic = monotonic
        self._said = 0.0
        # Kafka's time less the wall clock's, and the wall clock less the monotonic one when that was found
        self._learned = (0.0, wall() - monotonic())

    def now(self) -> float:
        """Return Kafka's time in epoch seconds; this machine's until it is known to be wrong.

        What was learned of a clock that has been set since, or has slept, no longer counts.
        """
        off, base = self._learned
        wall = self.wall()
        return wall if self._was_set(wall, base) else wall + off

    def learn(self, sent: float, stamp: float) -> None:
        """Take in that a record, sent at `sent` by the wall clock, is acknowledged now and was given the time `stamp`
        by the broker, cut to milliseconds; both in epoch seconds.
        """
        received = self.wall()
        if sent > received:
            return  # the clock was set back meanwhile
        off, base = self._learned
        if self._was_set(received, base):
            off = 0.0
        off = min(max(off, stamp - received), stamp + MILLISECOND - sent)
        self._learned = (off, received - self._monotonic())
        if abs(off - self._said) > SAY_BEYOND:
            self._said = off
            logger.warning(
                "this machine's clock is %.1f s %s Kafka's: timers and own metrics go by Kafka's; set it right",
                abs(off),
                "behind" if off > 0 else "ahead of",
            )

    def _was_set(self, wall: float, base: float) -> bool:
        return abs(wall - self._monotonic() - base) > STEPPED_BY
