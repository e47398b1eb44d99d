"""The arguments of `vigia mute`. Nothing heavy is imported here: every command reads this."""

import argparse
from typing import Any

from vigia.cli.moments import UNITS, moment

MOST_DIGITS = 6


def add(commands: Any) -> None:
    """Add the subcommand to the subparsers of `vigia`."""
    parser = commands.add_parser(
        "mute",
        help="keep problems of a service from opening for a while, or lift that; without --for and --lift: list mutes",
    )
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="one service; needed to mute and to lift")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--for", dest="length", type=_length, metavar="TIME", help="mute for so long: 90m, 2h, 3d")
    does.add_argument("--lift", metavar="ID", help="lift the mute with this id now")
    parser.add_argument("--from", dest="begin", type=moment, metavar="TIME", help="mute from then on (default: now)")
    # without defaults of their own: what was given where it means nothing must not be passed over
    parser.add_argument("--by", help="who says so; needed to mute and to lift")
    parser.add_argument("--reason", help="why; needed to mute and to lift")
    parser.add_argument("--environment", metavar="PATTERN", help="(*)")
    parser.add_argument("--metric", metavar="PATTERN", help="(*)")
    parser.add_argument("--label", action="append", default=[], type=_pair, metavar="NAME=PATTERN")
    parser.add_argument("--detector", action="append", default=[], metavar="NAME", help="(all but shared_dependency)")
    parser.add_argument("--id", help="the mute's name, never used again (made up)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _length(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdecimal() or len(number) > MOST_DIGITS or int(number) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: write {', '.join(f'2{u}' for u in UNITS)}")
    return int(number) * UNITS[unit]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no `=`")
    return name, value
