"""`python -m scripts.benchmarking`: latencies at a light load, and samples/s of the metrics agent, as JSON lines."""

import argparse
import dataclasses
import json
import sys
import time

from scripts.benchmarking import latency, throughput
from scripts.benchmarking.place import PLACES, worker

WORKER_START = 8.0
EMBEDDED_MOST = 120_000
"""The embedded broker silently drops what exceeds about 5 MB a partition."""


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarking", description=__doc__)
    parser.add_argument("--on", choices=sorted(PLACES), action="append", help="where (default: both)")
    parser.add_argument("--events", type=int, default=300, help="events for each latency")
    parser.add_argument("--rate", type=float, default=20.0, help="events per second while latency is measured")
    parser.add_argument("--samples", type=int, default=1_000_000, help="samples of the backlog")
    parser.add_argument("--points", type=int, default=1, help="samples in one message")
    options = parser.parse_args()
    for place in options.on or sorted(PLACES):
        if options.events:
            with PLACES[place]() as env, worker(env):
                time.sleep(WORKER_START)
                for result in latency.measure(env, options.events, options.rate):
                    print(json.dumps({"on": place, "latency_ms": dataclasses.asdict(result)}), flush=True)
        if options.samples:
            samples = min(options.samples, EMBEDDED_MOST) if place == "embedded" else options.samples
            with PLACES[place]() as env:
                rate = throughput.measure(env, samples, options.points)
            figures = {"on": place, "samples": samples, "points": options.points, "samples_per_second": round(rate)}
            print(json.dumps(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
