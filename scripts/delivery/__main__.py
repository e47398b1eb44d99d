"""Fills an empty database of summaries with a made-up year, and times reports on it: `python -m scripts.delivery URL`.

200 services in 20 teams, 100,000 deployments, 5,000 incidents. It prints the best and the median of ten runs of each.
"""

import argparse
import statistics
import time

from scripts.delivery.year import Size, fill
from vigia.events.dora_facts import Membership, Question
from vigia.models.dora.intervals import ranks
from vigia.models.dora.levels import DoraConfig
from vigia.models.dora.report import report
from vigia.stores.queries.delivery_facts import delivery_facts
from vigia.stores.sql.summaries import open_summaries

RUNS = 10
UNTIL = 20_600 * 86_400.0


def main() -> None:
    """Fill the database, unless `--filled` says that it was, and print a line for each report."""
    parser = argparse.ArgumentParser(prog="python -m scripts.delivery", description=__doc__)
    parser.add_argument("url", help="an empty database: mysql://user@host/name or sqlite:///file")
    parser.add_argument("--filled", action="store_true", help="it holds the year already")
    options = parser.parse_args()
    summaries = open_summaries(options.url)
    if not options.filled:
        summaries.migrate()
        print(f"{fill(summaries, Size(UNTIL)):,} events")
    half = tuple(Membership(f"team-{number:02d}") for number in range(10))
    for of, name, memberships in (
        ("service", "service-010", ()),
        ("team", "team-03", ()),
        ("organisation", "half", half),
    ):
        question = Question(
            of=of,  # type: ignore[arg-type] # one of its words
            name=name,
            since=UNTIL - 365 * 86_400.0,
            until=UNTIL,
            environments=("production",),
            attribution_window=86_400.0,
            memberships=memberships,
        )
        times = []
        for _ in range(RUNS):
            begin = time.perf_counter()
            report(delivery_facts(summaries, question, ranks), DoraConfig(), 2024)
            times.append((time.perf_counter() - begin) * 1000)
        print(f"{of}: best {min(times):.0f} ms, median {statistics.median(times):.0f} ms")
    summaries.close()


if __name__ == "__main__":
    main()
