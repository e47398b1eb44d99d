"""What commands share that only read: the summaries opened for reading, errors as exit codes."""

import argparse
import os
import sys
import time
from collections.abc import Callable

import msgspec
from rich.console import Console
from rich.table import Table

from vigia import app
from vigia.cli.exits import NEEDS_PERSON, OK, TRANSIENT
from vigia.cli.span import Span, span_of
from vigia.settings import Settings, SettingsError, load
from vigia.stores.errors import Transient, Unusable
from vigia.stores.queries.reader import Reader

NO_TERMINAL = 160
"""Columns in a pipe or file, where there is no terminal to fit into."""


def with_reader(work: Callable[[Reader, Settings], int]) -> int:
    """Return what `work` returns, given the summaries and the settings; errors are told and become exit codes."""
    try:
        settings = load()
        with app.opened_summaries(settings, read_only=True) as summaries:
            summaries.check()
            code = work(summaries, settings)
            sys.stdout.flush()
            return code
    except (SettingsError, Unusable) as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    except BrokenPipeError:
        # `| head` has read enough; Python's own flush at its end would fail once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Transient as error:
        print(f"the summaries' database does not answer: {error}", file=sys.stderr)
        return TRANSIENT


def with_span(options: argparse.Namespace, work: Callable[[Reader, Settings, Span], int]) -> int:
    """The same for a command about a span of days (`vigia.cli.span.add_span`), which `work` is given, too."""
    try:
        span = span_of(options.since, options.until, time.time())
    except ValueError as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    return with_reader(lambda reader, settings: work(reader, settings, span))


def print_json(answer: object) -> None:
    """Print what `--json` asks for."""
    print(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def console() -> Console:
    """Return where tables are printed: as wide as the terminal, or wide enough for any reader of a pipe."""
    return Console(width=None if sys.stdout.isatty() else NO_TERMINAL, highlight=False)


def bare_table() -> Table:
    """Return a table without lines, for a list that stands alone; its columns are to be added."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
