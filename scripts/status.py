"""How the installation is: `python -m scripts.status`: workers, lanes, lag, what waits and what was refused.

Exit codes: 0 healthy; 1 something needs a person, and it says what; 75 the database did not answer; 78 settings or a
database that cannot be used. Open dead letters are shown and are no finding. Settings are the application's
(`VIGIA_*`, `config/vigia.toml`); only the summaries' database is asked. The parts are in `scripts/operations/`.
"""

import argparse
import sys
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from rich.console import Console

from scripts.operations.report import read_status
from scripts.operations.screen import show
from vigia.app.opening import opened_summaries
from vigia.cli.reading import print_json
from vigia.settings import SettingsError, load
from vigia.stores.errors import Transient, Unusable

HEALTHY, NEEDS_PERSON, UNREACHABLE, UNUSABLE = 0, 1, 75, 78

NO_TERMINAL = 160
"""Columns in a pipe or file, where there is no terminal to fit into."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with opened_summaries(load(), read_only=True) as summaries:
            status = read_status(summaries, summaries.now(), options.oldest)
    except (SettingsError, Unusable) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except Transient as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    if options.json:
        print_json(status)
    else:
        show(status, Console(width=None if sys.stdout.isatty() else NO_TERMINAL, highlight=False))
    return HEALTHY if status.healthy else NEEDS_PERSON


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.status", description="How the installation is.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--oldest", type=float, default=300.0, metavar="S", help="a record that waits for longer needs a person (300)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
