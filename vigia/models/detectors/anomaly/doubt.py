"""Whether a wild value is believed: not at first, and as far as others went once it repeats.

One value beyond all measure (a counter that wrapped, a gauge that was not set yet) must not move what is known of a
series. A new level must be learned however far away it is, and so must spikes that are the habit of a series.
"""

import msgspec

WILD = 100.0
"""Multiple of the usual distance beyond which a value is not believed at once; what is lasting is rarely so far."""
REPEATS = 3
"""Wild values that are believed, as far as the nearest of them: as many bad windows open a problem."""


class Doubt(msgspec.Struct, array_like=True):
    """The last wild values, oldest first, and the number of the last one."""

    values: list[float] = []
    at: int = 0

    def believed(self, value: float, level: float, number: int, most_apart: int) -> float | None:
        """Return what to learn of the wild value `value`, the `number`-th of its series, then remember it.

        It is as far from `level` as the nearest of the last `REPEATS` wild values, on the side of this one; None, which
        is nothing, while there are fewer, each less than `most_apart` values after the one before it.

        >>> doubt = Doubt()
        >>> [doubt.believed(value, 5.0, number, 10) for number, value in enumerate([1e19, 45.0, 35.0, 1e19], start=7)]
        [None, None, 35.0, 35.0]
        >>> doubt.believed(60.0, 5.0, 20, 10)
        """
        before = self.values if number - self.at < most_apart else []
        self.values, self.at = [*before, value][-REPEATS:], number
        if len(self.values) < REPEATS:
            return None
        nearest = min(abs(each - level) for each in self.values)
        return level + nearest if value > level else level - nearest
