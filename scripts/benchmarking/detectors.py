"""What detectors cost: the general one on every series, and the rules alone, with few and many samples a window."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from scripts.benchmarking.contest.contenders import CONTENDERS
from scripts.benchmarking.contest.contest import filled, once
from scripts.benchmarking.contest.runner import RunFailedError


class Watched(NamedTuple):
    """Series that some detectors watch: their metrics, the configuration, and the aim in samples/s by one core."""

    what: str
    metrics: tuple[str, ...]
    configuration: str
    aim: int


class Shape(NamedTuple):
    """Windows of each of `SERIES` series, and samples in each."""

    windows: int
    each: int


SERIES = 1_000
WATCHED = (
    Watched("the general one", ("latency", "cpu_load", "queue_length", "threads", "sessions"), "", 20_000),
    Watched(
        "the four rules",
        ("error_rate", "db_slow_query_rate", "disk_used", "memory_used", "request_rate"),
        "[unusual_values]\nenabled = false\n",
        100_000,
    ),
)
SHAPES = (Shape(240, 1), Shape(60, 10), Shape(20, 50))
"""A sample a minute for four hours, one in six seconds for an hour, and the contest's."""


def detectors(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each kind of detectors, shape and way of keeping."""
    rows = []
    for watched in WATCHED:
        for shape in SHAPES:
            samples = SERIES * shape.windows * shape.each
            with (
                filled(samples, 1, SERIES, shape.windows, watched.metrics) as (given, prefix),
                tempfile.TemporaryDirectory() as folder,
            ):
                path = Path(folder) / "detectors.toml"
                path.write_text(watched.configuration)
                for name in ("vigia-forgetting", "vigia"):
                    contender = next(one for one in CONTENDERS if one.name == name)
                    contender = dataclasses.replace(contender, environment={"VIGIA_DETECTORS": str(path)})
                    row: dict[str, Any] = {
                        "what": watched.what,
                        "aim": watched.aim,
                        **shape._asdict(),
                        "kept": name == "vigia",
                        "run": None,
                        "failed": None,
                    }
                    try:
                        row["run"] = dataclasses.asdict(once(contender, given, prefix))
                        say(f"{watched.what}, {shape.each} a window, {name}: {row['run']}")
                    except RunFailedError as error:
                        row["failed"] = str(error)
                        say(f"{watched.what}, {shape.each} a window, {name}: {error}")
                    rows.append(row)
    return rows
