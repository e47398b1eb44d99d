"""Lets the contenders run in turn, each on the same input, several times round."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from itertools import product
from statistics import median
from typing import Any

from scripts.benchmarking.contest.contenders import BOTH, CONTENDERS, Contender
from scripts.benchmarking.contest.job import METRICS, PARTITIONS, WINDOWS, Input, counted_in, fill, results_topic
from scripts.benchmarking.contest.runner import Run, RunFailedError, run
from scripts.benchmarking.environments import CannotBuildError
from scripts.benchmarking.place import local
from scripts.benchmarking.volume import written

Say = Callable[[str], None]


def contest(messages: int, repeats: int, only: Sequence[str], say: Say) -> list[dict[str, Any]]:
    """Return a row for each contender and way of sending: its runs, or why it has none.

    Every round runs all of them once, so that what changes on the machine meanwhile meets all.
    """
    chosen = [one for one in CONTENDERS if not only or one.name in only]
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        # Vigia adds ticks to its input, which peers do not understand: the same input twice
        inputs: dict[tuple[bool, int], tuple[Input, str]] = {}
        for ours, points in product((True, False), BOTH):
            if any(points in one.points for one in chosen if one.is_vigia is ours):
                inputs[ours, points] = stack.enter_context(filled(messages, points))
                given = inputs[ours, points][0]
                each = given.bytes / given.samples
                say(f"input: {given.samples:,} samples, {points} in a message, {each:.0f} bytes a sample")
        entries = [(one, points) for one in chosen for points in one.points]
        found: dict[tuple[str, int], list[Run]] = {}
        failed: dict[tuple[str, int], str] = {}
        for turn in range(repeats):
            for one, points in entries:
                key = (one.name, points)
                if key in failed:
                    continue
                try:
                    result = once(one, *inputs[one.is_vigia, points])
                except (CannotBuildError, RunFailedError) as error:
                    failed[key] = str(error)
                    say(f"{one.name} x{points}: {error}")
                    continue
                found.setdefault(key, []).append(result)
                say(f"round {turn + 1}: {one.name} x{points}: {result.samples_per_second:,.0f} samples/s")
        for one, points in entries:
            runs = found.get((one.name, points), [])
            rows.append(
                {
                    "contender": one.name,
                    "what": one.what,
                    "points": points,
                    "runs": [asdict(each) for each in runs],
                    "failed": failed.get((one.name, points)),
                }
            )
    return rows


@contextmanager
def filled(
    samples: int, points: int, series: int = 1_000, windows: int = WINDOWS, metrics: Sequence[str] = METRICS
) -> Iterator[tuple[Input, str]]:
    """Give an input on the local stack and the prefix of its topics."""
    with local() as env:
        prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
        yield fill(env["VIGIA_KAFKA_BOOTSTRAP"], f"{prefix}metrics", samples, points, series, windows, metrics), prefix


def once(contender: Contender, given: Input, prefix: str) -> Run:
    """Return one run; raises RunFailedError, also when a peer has counted something else than was sent."""
    command = contender.command()
    if contender.is_vigia:
        with local(topics_of=prefix) as env:
            result = run(contender, command, given, {**env, **contender.environment})
            return replace(result, written=written(env, given.samples)) if contender.name == "vigia" else result
    with results_topic(given.bootstrap) as out:
        environment = {**given.environment(), **contender.environment, "BENCH_OUT": out}

        def check() -> None:
            wanted = given.samples - PARTITIONS
            counted = counted_in(given.bootstrap, out, wanted)
            if counted != wanted:
                raise RunFailedError(f"counted {counted:,} of {wanted:,} samples in closed windows")

        sends_windows = contender.name != "floor" and not contender.most
        return run(contender, command, given, environment, check if sends_windows else lambda: None)


def speeds(row: Mapping[str, Any]) -> list[float]:
    """Return the samples/s of each run of a row."""
    return [run["samples"] / run["seconds"] for run in row["runs"]]


def rate(row: Mapping[str, Any]) -> float:
    """Return the median samples/s of a row; NaN without runs."""
    return median(speeds(row)) if row["runs"] else math.nan
