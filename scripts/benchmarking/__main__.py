"""`make bench`: the metrics agent beside other processors, latencies, the raw log, growth, and detectors, on the local
stack.

Prints tables and writes docs/benchmarks.md, its pictures and docs/benchmarks/figures.json; parts that were not run keep
the figures they had.
"""

import argparse
import dataclasses
import os
import sys
import time
from typing import Any

from scripts.benchmarking import latency, report
from scripts.benchmarking.contest.contenders import CONTENDERS
from scripts.benchmarking.contest.contest import contest
from scripts.benchmarking.detectors import detectors
from scripts.benchmarking.growth import growth
from scripts.benchmarking.machine import BUSY, describe
from scripts.benchmarking.place import PLACES, worker
from scripts.benchmarking.raw_log.measure import raw_log

WORKER_START = 8.0
PARTS = ("latency", "contest", "raw-log", "growth", "detectors")


def main() -> int:
    """Measure and report; returns 1 when the machine is busy and `--anyway` was not given."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarking", description=__doc__)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--only", choices=[one.name for one in CONTENDERS], action="append", default=[])
    parser.add_argument("--messages", type=int, default=1_000_000, help="samples of the contest")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of the contest and of the raw log")
    parser.add_argument("--events", type=int, default=300, help="events for each latency")
    parser.add_argument("--rate", type=float, default=20.0, help="events per second while latency is measured")
    parser.add_argument("--rows", type=int, default=200_000, help="rows that the raw log's rivals write")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine, and write nothing")
    options = parser.parse_args()
    if os.getloadavg()[0] > BUSY and not options.anyway:
        print(f"the load is {os.getloadavg()[0]:.1f}: other work would falsify the figures (--anyway to try)")
        return 1
    found: dict[str, Any] = {}
    for part in options.parts:
        machine = describe()
        found[part] = {"machine": machine, **MEASURES[part](options)}
    if options.anyway:
        report.show(found)
    else:
        report.write_page(report.save(found))
        report.show(found)
    return 0


def _latency(options: argparse.Namespace) -> dict[str, Any]:
    rows = []
    for place in PLACES:
        with PLACES[place]() as env, worker(env):
            time.sleep(WORKER_START)
            for result in latency.measure(env, options.events, options.rate):
                say(f"{place}: {result}")
                rows.append({"on": place, **dataclasses.asdict(result)})
    return {"events": options.events, "rate": options.rate, "rows": rows}


def _contest(options: argparse.Namespace) -> dict[str, Any]:
    rows = contest(options.messages, options.repeats, options.only, say)
    return {"messages": options.messages, "repeats": options.repeats, "rows": rows}


def _raw_log(options: argparse.Namespace) -> dict[str, Any]:
    return {"rows": raw_log(options.rows, options.repeats, say)}


def _growth(_: argparse.Namespace) -> dict[str, Any]:
    return {"rows": growth(say)}


def _detectors(_: argparse.Namespace) -> dict[str, Any]:
    return {"rows": detectors(say)}


MEASURES = {
    "latency": _latency,
    "contest": _contest,
    "raw-log": _raw_log,
    "growth": _growth,
    "detectors": _detectors,
}


def say(words: str) -> None:
    """Print progress."""
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
