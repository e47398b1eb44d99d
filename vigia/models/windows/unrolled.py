"""Which hours and days of a series are still to be made of its windows: few numbers, whatever came of it meanwhile.

Kept as spans of whole hours or days since the epoch, so that a backfill of a year is one span. Spans that lie close
together are joined: what they then cover without need has no rows, and making nothing of nothing is harmless.
"""

from bisect import bisect_right

import msgspec

Span = tuple[int, int]
"""Numbers from the first to before the second."""

BRIDGED = 24
"""Spans with at most so many numbers between them are joined."""


class Unrolled(msgspec.Struct, array_like=True):
    """The spans of one series, ascending, as numbers of hours and of days since the epoch."""

    hours: list[Span] = msgspec.field(default_factory=list)
    days: list[Span] = msgspec.field(default_factory=list)


class Rolling(msgspec.Struct, array_like=True):
    """What a service remembers of rolling up beside its series."""

    due: float | None = None
    """When its timer is due, in Kafka time."""
    forgotten: dict[str, Unrolled] = msgspec.field(default_factory=dict)
    """What is left of series that were forgotten meanwhile, by their id."""
    kept: tuple[int, int, int] = (0, 0, 0)
    """From when on its windows, hours and days are kept; see `vigia.events.summaries.KeptSummary`."""


def add(spans: list[Span], number: int) -> None:
    """Add a number.

    >>> spans = [(10, 12)]
    >>> for number in (11, 12, 100, 9, 20):
    ...     add(spans, number)
    >>> spans
    [(9, 21), (100, 101)]
    """
    if spans and spans[-1][0] <= number < spans[-1][1]:
        return
    at = bisect_right(spans, (number, number))
    first, end = number, number + 1
    if at and number - spans[at - 1][1] <= BRIDGED:
        at -= 1
        before = spans.pop(at)
        first, end = before[0], max(before[1], end)
    if at < len(spans) and spans[at][0] - end <= BRIDGED:
        after = spans.pop(at)
        first, end = min(first, after[0]), max(end, after[1])
    spans.insert(at, (first, end))


def take(spans: list[Span], before: float, most: int) -> list[Span]:
    """Remove the numbers below `before`, at most `most` of them and the smallest first; return them.

    >>> spans = [(9, 13), (100, 102)]
    >>> take(spans, before=101, most=5), spans
    ([(9, 13), (100, 101)], [(101, 102)])
    """
    taken: list[Span] = []
    while spans and most > 0 and spans[0][0] < before:
        first, end = spans[0]
        to = int(min(end, before, first + most))
        taken.append((first, to))
        most -= to - first
        spans[:1] = [(to, end)] if to < end else []
    return taken
