"""The arguments of `vigia metrics`."""

from pathlib import Path
from typing import Any

from vigia.cli.moments import add_moments


def add(commands: Any) -> None:
    """Add the subcommand to the subparsers of `vigia`."""
    parser = commands.add_parser("metrics", help="what the series of a service were like, as a table or a picture")
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("--metric", metavar="NAME", help="one metric alone")
    parser.add_argument("--environment", metavar="NAME", help="one environment alone")
    add_moments(parser, "24h")
    parser.add_argument(
        "--level",
        choices=["window", "hour", "day"],
        help="what is looked at (default: windows up to 6 hours, hours up to 10 days, days beyond)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with every window")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="draw a picture (.png or .svg) with problems and deployments"
    )
