"""How many problems the detectors miss, and how many they invent: `python -m scripts.ml.simulate_problems`.

Simulates weeks of healthy services with daily and weekly cycles, deployments, restarts and gaps, and counts the
problems that open: all of them false. Then the same again with 40 real problems of stated sizes put in: how many are
found before they are over, and how long after their onset.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.ml.problems.finding import Result, compare, percentile, problems_of
from scripts.ml.problems.healthy import Service, healthy
from scripts.ml.problems.injected import KINDS, Injected, inject
from vigia.app.files import read_detectors
from vigia.events.problems import Problem
from vigia.models.detectors.config import DetectorConfig
from vigia.stores.errors import Unusable

MOST_FALSE_A_DAY = 1.0
LEAST_FOUND = 0.9
USUAL = Path("config/detectors.toml")
NARROWEST = 120
"""Columns of the tables: a narrower one would cut the names of detectors."""


def main(arguments: list[str] | None = None) -> int:
    """Return 1 when more is invented, or less found, than is aimed at, and 2 on limits that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m scripts.ml.simulate_problems", description=__doc__)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--detectors", type=Path, help=f"limits to try (default: {USUAL}, when it is there)")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path, help="write every figure there")
    options = parser.parse_args(arguments)
    if options.days < 12 or options.services < 1:  # noqa: PLR2004 - the first problem is on the tenth day
        parser.error("it needs at least 12 days and a service")
    if options.detectors is not None and not options.detectors.exists():
        parser.error(f"there is no file {options.detectors}")
    try:
        config = read_detectors(options.detectors or USUAL)
    except Unusable as error:
        print(f"simulate_problems: {error}", file=sys.stderr)
        return 2
    services = [healthy(number, options.days, options.seed) for number in range(options.services)]
    names = [service.name for service in services]
    quiet = compare(_all(services, config, options.jobs), [], names)
    injected = inject(services, options.seed)
    result = compare(_all(services, config, options.jobs), injected, names)
    report = {
        "services": options.services,
        "days": options.days,
        "seed": options.seed,
        "false_in_healthy": [_plain(problem) for problem in quiet.false],
        "false_beside_real": [_plain(problem) for problem in result.false],
        "problems": [_found(each, after) for each, after in result.found],
    }
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    show(quiet, result, options.days)
    found = sum(after is not None for _, after in result.found)
    enough = found >= LEAST_FOUND * len(result.found)
    return 0 if enough and len(quiet.false) < MOST_FALSE_A_DAY * options.days else 1


def show(quiet: Result, result: Result, days: int) -> None:
    """Print the tables."""
    console = Console(width=max(NARROWEST, Console().width))
    table = Table("problem", "size", "minutes from the onset to the problem")
    for kind in KINDS:
        for size in kind.sizes:
            after = [late for each, late in result.found if (each.detector, each.size) == (kind.detector, size)]
            late = ", ".join("[red]missed[/]" if each is None else f"{each:,.0f}" for each in after)
            table.add_row(kind.detector, f"{size:g} {kind.unit}", late)
    console.print(table)
    kinds = Table("kind", "found", "median", "95th percentile", "false, all healthy", "false beside real ones")
    for name in [*(kind.detector for kind in KINDS), "unusual_values"]:
        after = [each for one, each in result.found if one.detector == name]
        times = [each for each in after if each is not None]
        kinds.add_row(
            name,
            f"{len(times)} of {len(after)}" if after else "-",
            f"{percentile(times, 0.5):,.0f}" if times else "-",
            f"{percentile(times, 0.95):,.0f}" if times else "-",
            str(sum(problem.detector == name for problem in quiet.false)),
            str(sum(problem.detector == name for problem in result.false)),
        )
    console.print(kinds)
    console.print(f"{len(quiet.false) / days:.2f} false problems a day of all healthy services together")


def _all(services: Sequence[Service], config: DetectorConfig, jobs: int) -> list[Problem]:
    with ProcessPoolExecutor(jobs) as pool:
        return [problem for each in pool.map(partial(problems_of, config=config), services) for problem in each]


def _found(each: Injected, after: float | None) -> dict[str, object]:
    return {
        "detector": each.detector,
        "size": each.size,
        "unit": each.unit,
        "service": each.service,
        "onset": each.onset,
        "minutes": after,
    }


def _plain(problem: Problem) -> dict[str, object]:
    return {
        "service": problem.service,
        "metric": problem.metric,
        "detector": problem.detector,
        "opened_at": problem.opened_at,
        "why": problem.why,
    }


if __name__ == "__main__":
    sys.exit(main())
