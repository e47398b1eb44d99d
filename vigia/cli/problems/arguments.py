"""The arguments of `vigia problems`."""

from typing import Any

from vigia.cli.moments import add_moments


def add(commands: Any) -> None:
    """Add the subcommand to the subparsers of `vigia`."""
    parser = commands.add_parser("problems", help="what detectors have found, of one service or of all")
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="one service alone")
    parser.add_argument("--open", action="store_true", help="only those that are not over, whenever they were opened")
    add_moments(parser, "7d")
    parser.add_argument("--json", action="store_true", help="print JSON")
