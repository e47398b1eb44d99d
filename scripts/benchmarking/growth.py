"""Whether the metrics agent slows down or grows with the number of series, and with the length of its input.

Every window has the same number of samples, so that all shapes are the same work for a sample: a window costs far more
than a sample, and a series with fewer samples a window would be other work, not more of it. The last shape is that
other work at its worst: series that nobody has seen before, of one sample each.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

from scripts.benchmarking.contest.contenders import CONTENDERS
from scripts.benchmarking.contest.contest import filled, once
from scripts.benchmarking.contest.runner import RunFailedError


class Shape(NamedTuple):
    """An input: so many series, each with so many one-minute windows of so many samples."""

    series: int
    windows: int
    each: int

    @property
    def samples(self) -> int:
        """All samples."""
        return self.series * self.windows * self.each


SHAPES = (
    Shape(1_000, 20, 10),
    Shape(10_000, 4, 10),
    Shape(100_000, 2, 10),
    Shape(1_000, 200, 10),
    Shape(100_000, 1, 1),
)
"""The first, ten and a hundred times its series, ten times its length, and what is new all the time."""


def growth(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each shape."""
    contender = next(one for one in CONTENDERS if one.name == "vigia")
    rows = []
    for shape in SHAPES:
        with filled(shape.samples, 1, shape.series, shape.windows) as (given, prefix):
            row: dict[str, Any] = {**shape._asdict(), "samples": shape.samples, "run": None, "failed": None}
            what = f"{shape.series:,} series, {shape.windows} windows of {shape.each}"
            try:
                result = once(contender, given, prefix)
                row["run"] = asdict(result)
                say(f"{what}: {result.samples_per_second:,.0f} samples/s")
            except RunFailedError as error:
                row["failed"] = str(error)
                say(f"{what}: {error}")
            rows.append(row)
    return rows
