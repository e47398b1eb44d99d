"""All that a series has ever been: its least and largest value, and whether one goes clearly beyond them.

Ranks say how rare a figure is beside its own past, however far away that is; this says of a value that there was never
one like it (Numenta's detector tells such values apart in the same way: Ahmad et al., "Unsupervised real-time anomaly
detection for streaming data", Neurocomputing 262, 2017, and the benchmark's code).
"""

import msgspec

MARGIN = 0.05
"""Share of the span by which a value must be beyond it: without one, noise sets records for good."""

LEAST_VALUES = 100
"""Values from which on the span of a series says something."""

RECORD = 1.0
"""What a record adds to the surprise: it is ten times as rare as the ranks say."""


class Span(msgspec.Struct, array_like=True):
    """From the least value to the largest."""

    low: float = 0.0
    high: float = 0.0

    def record_of(self, value: float, count: int) -> float:
        """Return what `value`, after `count` others, adds to the surprise by going beyond all of them.

        >>> span = Span(10.0, 20.0)
        >>> [span.record_of(value, 500) for value in (20.4, 20.6, 9.4)], span.record_of(30.0, 5)
        ([0.0, 1.0, 1.0], 0.0)
        """
        low, high = self.low, self.high
        # what never varied has no margin, and any change of it is rare by its rank
        if low <= value <= high or count < LEAST_VALUES or low == high:
            return 0.0
        margin = MARGIN * (high - low)
        return RECORD if value > high + margin or value < low - margin else 0.0

    def take(self, value: float) -> None:
        """Take in a value; changes the span."""
        if value > self.high:
            self.high = value
        elif value < self.low:
            self.low = value
