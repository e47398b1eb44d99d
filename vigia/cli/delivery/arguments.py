"""The arguments of `vigia dora` and `vigia deployments`. Nothing heavy is imported here: every command reads this."""

import argparse
from typing import Any

from vigia.cli.span import add_span

YEARS = (2021, 2023, 2024)
"""The reports whose levels are known; a test holds them equal to the model's."""


def add(commands: Any) -> None:
    """Add the subcommands to the subparsers of `vigia`."""
    dora = commands.add_parser("dora", help="the five delivery metrics (DORA), with what was left out and why")
    add_question(dora)
    dora.add_argument("--days", action="store_true", help="day by day, too")
    dora.add_argument("--json", action="store_true", help="print JSON")
    deployments = commands.add_parser("deployments", help="the latest deployments: how far, how risky, what came of it")
    deployments.add_argument("service", nargs="?", metavar="SERVICE", help="of one service (default: of all)")
    deployments.add_argument("--limit", type=int, default=20, metavar="N", help="how many (1 to 1000; default: 20)")
    deployments.add_argument("--json", action="store_true", help="print JSON")


def add_question(parser: argparse.ArgumentParser) -> None:
    """Give a command the options that say whose deliveries it is about, of when, and what they are judged by."""
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--service", metavar="NAME", help="of one service (default: of all)")
    whose.add_argument("--team", metavar="NAME", help="of one team")
    whose.add_argument("--organisation", metavar="NAME", help="of the teams that the catalog gives to it")
    add_span(parser)
    parser.add_argument(
        "--environment",
        action="append",
        metavar="NAME",
        help="count this one as production, may be repeated (default: those of config/dora.toml)",
    )
    parser.add_argument(
        "--year", type=int, choices=YEARS, default=YEARS[-1], help="the report whose levels are named (default: 2024)"
    )
