"""Lanes, and where they stand: `python -m scripts.lanes list`, and `move` to set a lane's offset by hand.

`move AGENT PARTITION TOPIC OFFSET --because TEXT` is for when a runbook says so (docs/runbooks/exit-codes.md). It says
what is skipped or read again, and does it with `--yes`. Exit codes: 0 done; 1 refused, and it says why; 75 the database
or the broker did not answer, or a worker was quicker; 78 settings or a database that cannot be used.
"""

import argparse
import sys
import time
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from rich.console import Console

from scripts.letters.safe import one_line
from scripts.operations.kafka_view import Kafka, KafkaView
from scripts.operations.lane_listing import lane_places, partitions_of, show_lanes
from scripts.operations.lane_moving import Refused, Wanted, plan_move
from scripts.operations.reasons import reason
from vigia.app.opening import opened_summaries
from vigia.app.routes import ROUTES
from vigia.cli.reading import print_json
from vigia.settings import SettingsError, load
from vigia.stores.base import LaneId
from vigia.stores.errors import Conflict, Transient, UnknownOutcome, Unusable
from vigia.stores.sql.summaries import SqlSummaries

DONE, REFUSED, NOT_NOW, UNUSABLE = 0, 1, 75, 78

NO_TERMINAL = 200
"""Columns in a pipe or file, where there is no terminal to fit into."""

READS = {row.name: [topic.name for topic in row.reads] for row in ROUTES}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        settings = load()
        with opened_summaries(settings, read_only=options.action == "list") as summaries:
            kafka = KafkaView(settings.kafka)
            return _list(summaries, kafka, options) if options.action == "list" else _move(summaries, kafka, options)
    except (SettingsError, Unusable) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except Refused as error:
        print(one_line(str(error)), file=sys.stderr)
        return REFUSED
    except (Transient, UnknownOutcome) as error:
        print(error, file=sys.stderr)
        return NOT_NOW
    except Conflict:
        print("a worker has taken the lane over or gone on meanwhile: nothing was changed", file=sys.stderr)
        return NOT_NOW


def _list(summaries: SqlSummaries, kafka: Kafka, options: argparse.Namespace) -> int:
    rows = summaries.lanes()
    logs = None
    try:
        logs = kafka.logs(partitions_of(rows, READS))
    except Transient as error:
        print(f"without the broker there is no lag: {error}", file=sys.stderr)
    places = lane_places(rows, READS, logs)
    if options.json:
        print_json(places)
    else:
        show_lanes(places, Console(width=None if sys.stdout.isatty() else NO_TERMINAL, highlight=False))
    return DONE


def _move(summaries: SqlSummaries, kafka: Kafka, options: argparse.Namespace) -> int:
    wanted = Wanted(LaneId(options.agent, options.partition), options.topic, options.offset, options.because)
    move = plan_move(summaries, kafka, READS, wanted, time.time())
    print("\n".join(map(one_line, move.lines())))
    if not options.yes:
        print("dry run: --yes does it")
        return DONE
    summaries.move_lane(move.row, move.done, forget_topic=move.anew)
    print(f"done, as step {move.done.sequence} of the lane; the next worker goes on there")
    return DONE


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    line = argparse.ArgumentParser(prog="python -m scripts.lanes", description="Lanes, and where they stand.")
    actions = line.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="all lanes: offsets, log, lag, step, version, owner, why it stopped")
    listing.add_argument("--json", action="store_true", help="print JSON")
    move = actions.add_parser("move", help="set the next offset that a lane applies of one of its topics")
    move.add_argument("agent", metavar="AGENT")
    move.add_argument("partition", type=int, metavar="PARTITION")
    move.add_argument("topic", metavar="TOPIC", help="its name without kafka.topic_prefix")
    move.add_argument("offset", type=int, metavar="OFFSET", help="the next offset to be applied")
    move.add_argument("--because", required=True, type=reason, metavar="TEXT", help="why; it is kept with the move")
    move.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    return line


if __name__ == "__main__":
    sys.exit(main())
