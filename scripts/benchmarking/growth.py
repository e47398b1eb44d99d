"""Whether the metrics agent slows down or grows with the number of series, and with the length of its input."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from scripts.benchmarking.contest.contenders import CONTENDERS
from scripts.benchmarking.contest.contest import filled, once
from scripts.benchmarking.contest.runner import RunFailedError

SERIES = (1_000, 10_000, 100_000)
MOST = 1.2
"""By what factor a figure may worsen where the design says that it does not."""


def growth(messages: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each number of series, and one for ten times the input of the first."""
    contender = next(one for one in CONTENDERS if one.name == "vigia")
    rows = []
    for series, samples in [(series, messages) for series in SERIES] + [(SERIES[0], 10 * messages)]:
        with filled(samples, 1, series) as (given, prefix):
            row: dict[str, Any] = {"series": series, "samples": samples, "run": None, "failed": None}
            try:
                result = once(contender, given, prefix)
                row["run"] = asdict(result)
                say(f"{series:,} series, {samples:,} samples: {result.samples_per_second:,.0f} samples/s")
            except RunFailedError as error:
                row["failed"] = str(error)
                say(f"{series:,} series, {samples:,} samples: {error}")
            rows.append(row)
    return rows
