"""Moments on the command line: a day, a time, or how long ago; a span of them with `--since` and `--until`."""

import argparse
import re
from datetime import UTC, datetime
from typing import NamedTuple

UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_AGO = re.compile(r"(\d{1,6})([mhdw])")
LAST = datetime.max.replace(tzinfo=UTC).timestamp() // 1
"""The last second that can be written, in epoch seconds."""
WRITTEN = "2026-03-31, 2026-03-31T14:00 (UTC), or how long ago: 90m, 6h, 7d"


class Ago(NamedTuple):
    """So many seconds before the end of the span."""

    seconds: int


Moment = datetime | Ago


def add_moments(parser: argparse.ArgumentParser, default: str) -> None:
    """Give a command the options `--since` and `--until`; `default` says in words what is meant without `--since`."""
    parser.add_argument(
        "--since", type=moment, metavar="TIME", help=f"from then on: {WRITTEN} (default: {default})".replace("%", "%%")
    )
    parser.add_argument("--until", type=moment, metavar="TIME", help="to before then (default: now)")


def moment(text: str) -> Moment:
    """Return the moment that a text means; raises argparse.ArgumentTypeError.

    >>> moment("90m"), moment("2026-03-31T14:00").isoformat()
    (Ago(seconds=5400), '2026-03-31T14:00:00+00:00')
    """
    if found := _AGO.fullmatch(text):
        return Ago(int(found[1]) * UNITS[found[2]])
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=time.tzinfo or UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write {WRITTEN}") from None


def span_between(since: Moment | None, until: Moment | None, now: float, default: int) -> tuple[float, float]:
    """Return the span in epoch seconds; without `since` it is `default` seconds. Raises ValueError for an empty one.

    >>> span_between(Ago(60), None, 1_000.0, 10)
    (940.0, 1000.0)
    """
    end = epoch(until, now) if until is not None else now
    start = epoch(since, end) if since is not None else end - default
    if start >= end or start < 0:
        raise ValueError(f"--since ({written(start)}) must lie before --until ({written(end)})")
    return start, end


def epoch(moment: Moment, end: float) -> float:
    """Return a moment in epoch seconds; what was said as "so long ago" is counted back from `end`."""
    return end - moment.seconds if isinstance(moment, Ago) else moment.timestamp()


def written(time: float) -> str:
    """Return a time (epoch seconds) to the minute, in UTC."""
    return f"{datetime.fromtimestamp(min(max(0.0, time), LAST), UTC):%Y-%m-%d %H:%M}"
