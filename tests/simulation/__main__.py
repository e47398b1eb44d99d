"""`python -m tests.simulation SEED` replays one world and tells what happened in it; `--seeds N` runs many.

Of many, the first that goes wrong ends the run, with the command that replays it.
"""

import argparse
import logging
import sys
import time
from collections import Counter

from tests.simulation.world import World


def main() -> int:
    """Return 1 when a world went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="replay this one, with its trace")
    parser.add_argument("--seeds", type=int, metavar="N", help="run so many")
    parser.add_argument("--from", type=int, default=0, dest="start", metavar="S", help="the first of them")
    options = parser.parse_args()
    logging.disable()
    if options.seeds is not None:
        return many(options.start, options.seeds)
    if options.seed is None:
        parser.error("a seed, or --seeds")
    return one(options.seed)


def one(seed: int) -> int:
    """Replay a world."""
    world = World(seed)
    world.run()
    for line in world.trace.lines():
        print(line)
    print(f"trace {world.trace.digest()}")
    return report(world)


def many(start: int, number: int) -> int:
    """Run worlds until one goes wrong."""
    began = time.perf_counter()
    totals: Counter[str] = Counter()
    for done, seed in enumerate(range(start, start + number), 1):
        world = World(seed)
        world.run()
        totals.update(figures(world))
        if world.violations:
            return report(world)
        if sys.stderr.isatty() and done % 20 == 0:
            print(
                f"\r{done} of {number} seeds, {60 * done / (time.perf_counter() - began):,.0f} a minute",
                end="",
                file=sys.stderr,
            )
    seconds = time.perf_counter() - began
    print(f"\n{number} seeds from {start} in {seconds:.1f} s: {60 * number / seconds:,.0f} a minute, nothing wrong")
    print(", ".join(f"{name} {value:,}" for name, value in sorted(totals.items())))
    return 0


def figures(world: World) -> Counter[str]:
    """What a world was made of."""
    counts = Counter(world.trace.counts)
    counts["records"] = world.broker.appended
    counts["steps"] = len(world.summaries.commits)
    counts["virtual seconds"] = round(world.loop.time())
    return counts


def report(world: World) -> int:
    """Say what is wrong, and how to see it again."""
    if not world.violations:
        print(f"seed {world.seed}: nothing is wrong")
        return 0
    print(f"seed {world.seed}: {len(world.violations)} things are wrong")
    for what in world.violations:
        print(f"  {what}")
    print(f"replay it with: python -m tests.simulation {world.seed}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
