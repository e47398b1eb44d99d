"""The arguments of `vigia feedback`. Nothing heavy is imported here: every command reads this."""

from typing import Any

from vigia.cli.span import add_span


def add(commands: Any) -> None:
    """Add the subcommand to the subparsers of `vigia`."""
    parser = commands.add_parser(
        "feedback", help="labels that contradict what was said before, by whom, and senders beyond their limits"
    )
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="contradictions about one service alone")
    add_span(parser)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many of each (1 to 1000; default: 20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
