"""`vigia deployments`: the latest deployments, of one service or of all."""

import argparse
import sys
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from vigia.cli.delivery.tables import one_line
from vigia.cli.exits import NEEDS_PERSON, OK
from vigia.cli.reading import console, print_json, with_reader
from vigia.events.summaries import DeploymentSummary
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.recent_deployments import recent_deployments

MOST = 1000
STYLES = {"failed": "bold red", "succeeded": "green", "cancelled": "yellow"}


def deployments(options: argparse.Namespace) -> int:
    """Print the deployments; returns the exit code."""
    if not 1 <= options.limit <= MOST:
        print(f"--limit is {options.limit}: it must be from 1 to {MOST}", file=sys.stderr)
        return NEEDS_PERSON
    return with_reader(lambda reader, _settings: _print(reader, options))


def _print(reader: Reader, options: argparse.Namespace) -> int:
    found = recent_deployments(reader, options.limit, service=options.service)
    if options.json:
        print_json(found)
    elif found:
        console().print(_table(found))
    else:
        whose = f"of the service {options.service!r} " if options.service else ""
        console().print(f"no deployment {one_line(whose)}was ever told; CI sends them to the topic deployments")
    return OK


def _table(found: list[DeploymentSummary]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("when (UTC)", "service", "environment", "version", "deployment"):
        table.add_column(name, overflow="fold")
    table.add_column("commits", justify="right")
    table.add_column("stage")
    table.add_column("risk", justify="right")
    table.add_column("what came of it")
    for each in found:
        table.add_row(*_cells(each))
    return table


def _cells(row: DeploymentSummary) -> list[Text]:
    at = next((time for time in (row.finished_at, row.started_at, row.planned_at) if time is not None), None)
    reached = row.status or row.stage
    kind = "" if row.kind == "deployment" else f"{row.kind} "
    came = f"{row.outcome} ({row.outcome_label})" if row.outcome else "-"
    return [
        Text("-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")),
        Text(one_line(row.service)),
        Text(one_line(row.environment)),
        Text(one_line(row.version) or "-"),
        Text(one_line(row.external_id)),
        Text(f"{row.commits:,}"),
        Text(kind + reached, style=STYLES.get(reached, "")),
        Text("-" if row.risk is None else f"{row.risk:.0%}"),
        Text(came, style=STYLES.get(row.outcome, "dim")),
    ]
