"""How rare a figure is beside all earlier ones of its kind: a histogram of its logarithm, extended by a power law.

A rank among its own past makes figures of different kinds and series comparable, whatever their distribution. Beyond
the largest figure seen, where ranks say nothing more, the tail probability goes on falling as a power of the figure
(Hill, "A simple general approach to inference about the tail of a distribution", Annals of Statistics 3(5), 1975).
"""

from math import frexp, log10

import msgspec

BINS_PER_OCTAVE = 2
SMALLEST_EXPONENT = -6
"""Figures below 2**-6 share one bin; they are multiples of the usual deviation, so nothing there is rare."""
LARGEST_EXPONENT = 24
TAIL_EXPONENT = 2.0
"""Index of the power law beyond the largest figure seen; 2 is on the edge of a finite variance, so it is cautious."""
MEMORY = 20_000
"""Figures after which all counts are halved: the past of a series that changed fades."""

SURE = 1e9
"""Multiple of the usual distance that stands for any change of what never changed."""

_BINS = (LARGEST_EXPONENT - SMALLEST_EXPONENT) * BINS_PER_OCTAVE
_PER_BIN = TAIL_EXPONENT * log10(2.0) / BINS_PER_OCTAVE
_HALF_OCTAVE = 0.5**0.5
_SMALLEST = 2.0**SMALLEST_EXPONENT


class Tail(msgspec.Struct, array_like=True):
    """What is remembered of one kind of figure. Counts are whole numbers, so equal inputs give equal states."""

    total: int = 0
    counts: list[int] = []

    def surprise_of(self, figure: float) -> float:
        """Return -log10 of the share of earlier figures that were at least as large, then remember `figure`, >= 0.

        >>> tail = Tail()
        >>> for _ in range(999):
        ...     _ = tail.surprise_of(1.0)
        >>> round(tail.surprise_of(0.1), 3), tail.surprise_of(100.0) > 3
        (0.0, True)
        """
        bin_, counts, total = _bin_of(figure), self.counts, self.total
        if bin_ < len(counts):
            here = counts[bin_]
            above = sum(counts[bin_ + 1 :])
        else:
            here = above = 0
        if above or here:
            surprise = -log10((above + 0.5 * here + 0.5) / (total + 1))
        elif total:
            surprise = log10(2 * (total + 1)) + _PER_BIN * (bin_ + 1 - len(counts))
        else:
            surprise = 0.0
        if bin_ >= len(counts):
            counts.extend([0] * (bin_ + 1 - len(counts)))
        counts[bin_] += 1
        self.total = total + 1
        if total + 1 >= MEMORY:
            self._fade()
        return surprise

    def rarity_of(self, figure: float) -> float:
        """Return the same, and do not remember it; it takes longer."""
        return Tail(self.total, list(self.counts)).surprise_of(figure)

    def _fade(self) -> None:
        self.counts = [count // 2 for count in self.counts]
        while self.counts and not self.counts[-1]:
            self.counts.pop()
        self.total = sum(self.counts)


def _bin_of(figure: float) -> int:
    """Return the bin, from the binary exponent: logarithms differ between machines in their last bit."""
    if figure < _SMALLEST:
        return 0
    mantissa, exponent = frexp(figure)
    bin_ = (exponent - 1 - SMALLEST_EXPONENT) * BINS_PER_OCTAVE + (mantissa >= _HALF_OCTAVE)
    return bin_ if bin_ < _BINS else _BINS - 1


def multiple_of(distance: float, usual: float) -> float:
    """Return how many usual distances `distance` is; both are at least 0."""
    if usual > 0:
        return distance / usual
    return SURE if distance else 0.0
