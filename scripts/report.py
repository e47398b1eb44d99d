"""One page with pictures of how well we deliver: `python -m scripts.report --out report.html`.

It asks the summaries' database what `vigia dora`, `ai-agents`, `metrics` and `problems` ask, and writes one HTML file
that needs nothing else. Exit codes are those of these commands. The parts are in `scripts/reporting/`.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.reporting.findings import read
from scripts.reporting.page import page
from vigia.cli.delivery.arguments import add_question
from vigia.cli.exits import NEEDS_PERSON, OK
from vigia.cli.reading import with_span
from vigia.cli.span import Span
from vigia.settings import Settings
from vigia.stores.queries.reader import Reader


def main(arguments: Sequence[str] | None = None, now: Callable[[], float] = time.time) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)

    def write(reader: Reader, settings: Settings, span: Span) -> int:
        made = page(read(reader, settings, span, options, now()))
        try:
            _replace(options.out, made)
        except OSError as error:
            print(f"the page cannot be written: {error}", file=sys.stderr)
            return NEEDS_PERSON
        print(f"{options.out} has the page", file=sys.stderr)
        return OK

    return with_span(options, write)


def _replace(path: Path, content: str) -> None:
    """Write a file so that whoever opens it sees the page before or this one, and nothing in between."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(content, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.report", description="One HTML page: delivery, risk, latency, AI agents, open problems."
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the file to write, replaced if it is there"
    )
    add_question(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
