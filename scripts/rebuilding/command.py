"""The command line: `run`, `compare`, `swap`, `status`.

Exit codes: 0 done, or equal; 1 the databases differ; 75 not now (a store is away, the live lanes moved on, a worker is
running); 78 a person must look first.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from scripts.rebuilding import places
from scripts.rebuilding.comparing import TOLERANCE, Report, compare
from scripts.rebuilding.errors import RebuildStopped, TryAgain
from scripts.rebuilding.places import Place
from scripts.rebuilding.progress import Bar
from scripts.rebuilding.running import positions, rebuild
from scripts.rebuilding.swapping import swap
from vigia.app import open_stores
from vigia.settings import Settings, SettingsError, load
from vigia.stores.errors import Transient, Unusable

DONE, DIFFERENT, NOT_NOW, NEEDS_PERSON = 0, 1, 75, 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return _run(options, load())
    except (SettingsError, RebuildStopped, Unusable) as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    except (Transient, TryAgain) as error:
        print(error, file=sys.stderr)
        return NOT_NOW


def _run(options: argparse.Namespace, settings: Settings) -> int:
    live = places.live_place(settings, read_only=options.command != "swap")
    rebuilt = places.rebuilt_place(settings)
    try:
        if options.command == "run":
            return _rebuild(settings, live, rebuilt, fresh=options.fresh)
        if options.command == "compare":
            return _compare(settings, live, rebuilt, options)
        if options.command == "swap":
            return _swap(live, rebuilt, options)
        _status(live, rebuilt)
        return DONE
    finally:
        live.close()
        rebuilt.close()


def _rebuild(settings: Settings, live: Place, rebuilt: Place, *, fresh: bool) -> int:
    if fresh:
        places.drop(live, rebuilt)
    stores = open_stores(settings)
    try:
        with Bar(Console(stderr=True)) as bar:
            asyncio.run(rebuild(settings, live, rebuilt, stores.raw_log, bar))
        print(bar.summary)
        return DONE
    finally:
        stores.close()


def _compare(settings: Settings, live: Place, rebuilt: Place, options: argparse.Namespace) -> int:
    stores = open_stores(settings)
    try:
        report = compare(
            settings, live, rebuilt, stores.raw_log, tolerance=0.0 if options.exact else TOLERANCE, first=options.first
        )
    finally:
        stores.close()
    _print_report(report)
    return DONE if report.equal else DIFFERENT


def _print_report(report: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)
    for each in report.differences:
        console.print(
            f"{each.table} [{each.key}] {each.field}: live {each.live}, rebuilt {each.rebuilt}", soft_wrap=True
        )
    for table, found in sorted(report.found.items()):
        kept = sum(each.table == table for each in report.differences)
        console.print(f"{table}: {found} differences" + (f", the first {kept} are above" if kept < found else ""))
    rows = ", ".join(f"{table} {count}" for table, count in report.rows.items())
    console.print(f"{'equal' if report.equal else 'DIFFERENT'}; rows compared: {rows}", soft_wrap=True)


def _swap(live: Place, rebuilt: Place, options: argparse.Namespace) -> int:
    kept = swap(live, rebuilt, print, watch=options.watch, dry=not options.yes)
    if options.yes:
        print(f"{live.name} is the rebuilt database now; the one before is kept as {kept}")
    else:
        print(f"it could be done: {live.name} would be kept as {kept}, and {rebuilt.name} take its place. Add --yes")
    return DONE


def _status(live: Place, rebuilt: Place) -> None:
    table = Table(title=f"{live.name} and {rebuilt.name}", title_justify="left")
    for heading in ("lane", "live step", "rebuilt step", "behind"):
        table.add_column(heading, justify="left" if heading == "lane" else "right")
    for each in positions(live, rebuilt):
        step = "-" if each.rebuilt is None else str(each.rebuilt.step)
        table.add_row(each.lane, str(each.live.step), step, str(each.steps))
    Console().print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.rebuild", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    run = command("run", "rebuild up to where the live lanes stand now; goes on where an earlier run ended")
    run.add_argument("--fresh", action="store_true", help="delete what was rebuilt before, and begin anew")
    against = command("compare", "compare the rebuilt database with the live one; exit code 1 when they differ")
    against.add_argument("--first", type=int, default=10, help="differences shown of each table (10)")
    against.add_argument("--exact", action="store_true", help="floats to the last bit, not to 1e-9")
    swapping = command(
        "swap", "put the rebuilt database in the live one's place; without --yes only look whether it can"
    )
    swapping.add_argument("--yes", action="store_true", help="do it")
    swapping.add_argument("--watch", type=float, default=5.0, help="seconds for which lanes must stand still (5)")
    command("status", "show how far the rebuilt database is")
    return parser
