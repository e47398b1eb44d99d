"""The span of days that a report is about: `--since` and `--until`, whole days in UTC."""

import argparse
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

DAY = 86_400
"""Seconds."""

DEFAULT_DAYS = 30
"""Days that a report spans unless it is told otherwise."""

FIRST_YEAR = 1970


class Span(NamedTuple):
    """Whole days in UTC: from the midnight `since` to before the midnight `until`, in epoch seconds."""

    since: int
    until: int

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since) // DAY

    def words(self) -> str:
        """Return the span as people write it, its last day included.

        >>> Span(0, 2 * DAY).words()
        '1970-01-01 to 1970-01-02 (2 days)'
        """
        first, last = (datetime.fromtimestamp(each, UTC).date() for each in (self.since, self.until - DAY))
        return f"{first} to {last} ({self.days} day{'s' if self.days > 1 else ''})"


def add_span(parser: argparse.ArgumentParser) -> None:
    """Give a command the options `--since` and `--until`."""
    parser.add_argument(
        "--since", type=_day, metavar="DAY", help=f"first day, in UTC (default: {DEFAULT_DAYS} days up to the last)"
    )
    parser.add_argument("--until", type=_day, metavar="DAY", help="last day, in UTC (default: today)")


def span_of(since: date | None, until: date | None, now: float) -> Span:
    """Return the span that the options name; `now` is in epoch seconds. Raises ValueError for one without days.

    >>> span_of(None, date(2026, 3, 31), 0.0).words()
    '2026-03-02 to 2026-03-31 (30 days)'
    """
    last = until or datetime.fromtimestamp(now, UTC).date()
    first = since or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise ValueError(f"--since {first} lies after --until {last}")
    midnight = [datetime(each.year, each.month, each.day, tzinfo=UTC).timestamp() for each in (first, last)]
    return Span(int(midnight[0]), int(midnight[1]) + DAY)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-03-31") from None
    if day.year < FIRST_YEAR:
        raise argparse.ArgumentTypeError(f"{text} lies before {FIRST_YEAR}, where no event can be")
    return day
