"""The command line of `scripts/dead_letters.py`: reads settings, opens the stores, and says what went wrong."""

import argparse
import sys
from pathlib import Path

from scripts.letters import UNREACHABLE, UNUSABLE
from scripts.letters.accepting import accept_letters, lane_of, release_lane
from scripts.letters.listing import ANY, STATUSES, Wanted, list_letters
from scripts.letters.replaying import Replay, replay
from scripts.letters.sending import NotAcknowledged, send
from scripts.letters.showing import show_letter
from vigia.app import open_stores
from vigia.events.invalid import Reason
from vigia.settings import Settings, SettingsError, load
from vigia.stores.errors import Transient, UnknownOutcome, Unusable
from vigia.topics import BY_NAME


def main(arguments: list[str] | None = None) -> int:
    """Run one action; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.action == "replay" and options.body is not None and len(options.ids) > 1:
        parser.error("--body is for one letter")
    if options.action == "accept" and bool(options.letters) == bool(options.lane):
        parser.error("accept either a lane (AGENT/PARTITION) or --letters ID...")
    try:
        return _run(options, load())
    except (SettingsError, Unusable, OSError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except (Transient, UnknownOutcome, NotAcknowledged) as error:
        print(error, file=sys.stderr)
        return UNREACHABLE


def _run(options: argparse.Namespace, settings: Settings) -> int:
    stores = open_stores(settings)
    try:
        match options.action:
            case "list":
                status = None if options.status == ANY else options.status
                wanted = Wanted(status, options.reason, options.topic, options.limit)
                return list_letters(stores.summaries, wanted, as_json=options.json)
            case "show":
                return show_letter(stores, options.id, full=options.full)
            case "replay":
                body = None if options.body is None else options.body.read_bytes()
                asked = Replay(options.ids, body, yes=options.yes, again=options.again)
                return replay(stores, settings.kafka, asked, send)
            case _:
                if options.letters:
                    return accept_letters(stores.summaries, options.letters, yes=options.yes)
                return release_lane(stores.summaries, options.lane, yes=options.yes)
    finally:
        stores.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.dead_letters", description="What the stream refused.")
    actions = parser.add_subparsers(dest="action", required=True)

    listing = actions.add_parser("list", help="list letters, oldest first")
    listing.add_argument("--status", choices=[*STATUSES, ANY], default=STATUSES[0], help="default: open")
    listing.add_argument("--reason", choices=[reason.value for reason in Reason], metavar="REASON")
    listing.add_argument("--topic", choices=list(BY_NAME), metavar="TOPIC")
    listing.add_argument("--limit", type=_positive, default=50, metavar="N", help="most letters (50)")
    listing.add_argument("--json", action="store_true", help="print JSON, without bodies")

    show = actions.add_parser("show", help="show all of one letter")
    show.add_argument("id")
    show.add_argument("--full", action="store_true", help="a body that was cut is fetched whole from the raw log")

    again = actions.add_parser("replay", help="send the events of letters again")
    again.add_argument("ids", nargs="+", metavar="ID")
    again.add_argument("--body", type=Path, metavar="FILE", help="for one letter: send this file's bytes instead")
    again.add_argument("--again", action="store_true", help="also letters that were replayed or accepted before")

    accept = actions.add_parser("accept", help="release a stopped lane, or write letters off")
    accept.add_argument("lane", nargs="?", type=lane_of, metavar="AGENT/PARTITION", help="a lane that a flood stopped")
    accept.add_argument("--letters", nargs="+", metavar="ID", help="letters that were seen and will not be mended")

    for changing in (again, accept):
        changing.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
