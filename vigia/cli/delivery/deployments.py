"""`vigia deployments`: the latest deployments, of one service or of all.

Beside the risk that the online model gave stands what a promoted retrained model says, if there is one; gates go by the
first alone.
"""

import argparse
import sys
from collections.abc import Mapping

import msgspec
from rich.table import Table
from rich.text import Text

from vigia.cli.delivery.tables import one_line
from vigia.cli.exits import NEEDS_PERSON, OK
from vigia.cli.moments import written
from vigia.cli.reading import bare_table, console, print_json, with_reader
from vigia.events.summaries import DeploymentSummary
from vigia.stores.queries.promoted_scores import PromotedScore, promoted_scores
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.recent_deployments import recent_deployments

Retrained = Mapping[tuple[str, str], PromotedScore]

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
    retrained = promoted_scores(reader, found)
    if options.json:
        print_json([_with_score(row, retrained) for row in found])
    elif found:
        console().print(_table(found, retrained))
    else:
        whose = f"of the service {options.service!r} " if options.service else ""
        console().print(f"no deployment {one_line(whose)}was ever told; CI sends them to the topic deployments")
    return OK


def _with_score(row: DeploymentSummary, retrained: Retrained) -> dict[str, object]:
    score = retrained.get((row.deployment_id, row.scope))
    return msgspec.structs.asdict(row) | {"retrained": None if score is None else score._asdict()}


def _table(found: list[DeploymentSummary], retrained: Retrained) -> Table:
    table = bare_table()
    for name in ("when (UTC)", "service", "environment", "version", "deployment"):
        table.add_column(name, overflow="fold")
    table.add_column("commits", justify="right")
    table.add_column("stage")
    table.add_column("risk", justify="right")
    if retrained:
        table.add_column("retrained", justify="right")
    table.add_column("what came of it")
    for each in found:
        *cells, came = _cells(each)
        if retrained:
            score = retrained.get((each.deployment_id, each.scope))
            cells.append(Text("-" if score is None else f"{score.probability:.0%}"))
        table.add_row(*cells, came)
    return table


def _cells(row: DeploymentSummary) -> list[Text]:
    at = next((time for time in (row.finished_at, row.started_at, row.planned_at) if time is not None), None)
    reached = row.status or row.stage
    kind = "" if row.kind == "deployment" else f"{row.kind} "
    came = f"{row.outcome} ({row.outcome_label})" if row.outcome else "-"
    return [
        Text("-" if at is None else written(at)),
        Text(one_line(row.service)),
        Text(one_line(row.environment)),
        Text(one_line(row.version) or "-"),
        Text(one_line(row.external_id)),
        Text(f"{row.commits:,}"),
        Text(kind + reached, style=STYLES.get(reached, "")),
        Text("-" if row.risk is None else f"{row.risk:.0%}"),
        Text(came, style=STYLES.get(row.outcome, "dim")),
    ]
