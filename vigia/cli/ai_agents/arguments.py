"""The arguments of `vigia ai-agents`."""

from typing import Any

from vigia.cli.span import add_span


def add(commands: Any) -> None:
    """Add the subcommand to the subparsers of `vigia`."""
    parser = commands.add_parser("ai-agents", help="how often AI agents are right, and whether they know it")
    parser.add_argument("--agent", metavar="NAME", help="one agent alone, with its buckets of confidence")
    add_span(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
