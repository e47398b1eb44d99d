"""The registry of retrained risk models: `python -m scripts.ml.risk_models list | show | shadow | promote | roll-back |
retire`; and what the online model of a team looks at most: `looks-at TEAM`.

`promote` is refused unless the model has ranked later deployments better than the online model by more than chance;
there is no way around that. A promoted model's score is shown beside the risk, and decides nothing. Exit codes: 0 done;
1 refused, and it says why; 75 the database did not answer; 78 settings or a database that cannot be used.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from rich.text import Text

from scripts.letters.safe import one_line
from scripts.ml.retraining import registry
from scripts.ml.retraining.command import DONE, run, who
from scripts.ml.retraining.comparing import TooFew, compare
from scripts.operations.reasons import reason
from vigia.app.waiting import waiting_times
from vigia.cli.reading import bare_table, console, print_json
from vigia.models.risk.importance import importance
from vigia.settings import Settings
from vigia.stores.risk_models import RiskModelRow
from vigia.stores.sql.summaries import SqlSummaries

READING = {"list", "show", "looks-at"}

SHOWN = 15
"""Features that are shown of a model."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    return run(lambda store, settings: _act(store, settings, options), read_only=options.action in READING)


def _act(store: SqlSummaries, settings: Settings, options: argparse.Namespace) -> int:
    if options.action == "list":
        return _list(store.risk_models(), as_json=options.json)
    if options.action == "show":
        return _show(store, settings, options.name, as_json=options.json)
    if options.action == "looks-at":
        return _looks_at(store, options.name, as_json=options.json)
    if options.action == "promote":
        found = registry.promote(store, options.name, waiting_times(settings), who())
        print(f"{options.name} is promoted: {found.words()}")
    elif options.action == "roll-back":
        earlier = registry.roll_back(store, options.name, who(), options.because)
        print(f"{options.name} is retired; " + (f"{earlier} is promoted again" if earlier else "none is promoted now"))
    else:
        status = registry.SETTABLE[options.action]
        registry.move(store, options.name, status, who(), options.because)
        print(f"{options.name} is {status} now")
    return DONE


def _looks_at(store: SqlSummaries, scope: str, *, as_json: bool) -> int:
    """Print what the models of a team go by; raises Refused when it has none."""
    found = {label: importance(model) for label, model in registry.online(store, scope).items()}
    if as_json:
        print_json({label: [each._asdict() for each in features] for label, features in found.items()})
        return DONE
    for label, features in found.items():
        print(
            one_line(f"what the {label} model of {scope} looks at most: by what a feature moves the log-odds, at most,")
        )
        print("when it is as far from what is usual in this team as it commonly is (which makes it no cause)")
        for each in features[:SHOWN]:
            print(f"  {each.log_odds:5.2f}  {each.words}")
    return DONE


def _list(rows: Sequence[RiskModelRow], *, as_json: bool) -> int:
    if as_json:
        print_json(rows)
        return DONE
    if not rows:
        print("no risk model is kept; python -m scripts.ml.retrain_deployment_risk_model trains some")
        return DONE
    table = bare_table()
    for name in ("name", "status", "label", "scope", "kept (UTC)"):
        table.add_column(name, overflow="fold")
    for name in ("deployments", "failed"):
        table.add_column(name, justify="right")
    table.add_column("code")
    for row in rows:
        table.add_row(
            row.name,
            Text(row.status, style="bold green" if row.status == "promoted" else ""),
            row.label,
            Text(one_line(row.scope) or "all"),
            _day(row.created_at),
            f"{row.deployments:,}",
            f"{row.failures:,}",
            one_line(row.code_version),
        )
    console().print(table)
    return DONE


def _show(store: SqlSummaries, settings: Settings, name: str, *, as_json: bool) -> int:
    row = registry.find(store, name)
    changes = [each for each in store.risk_model_changes() if each.name == name]
    so_far, why = None, ""
    try:
        so_far = compare(registry.shadowed(store, row, waiting_times(settings)))
    except (TooFew, registry.Refused) as error:
        why = str(error)
    if as_json:
        print_json({"model": row, "changes": changes, "shadow": so_far, "shadow_missing": why})
        return DONE
    print(f"{row.name}: {row.kind} of {row.label} for {one_line(row.scope) or 'all scopes'}, {row.status}")
    print(
        f"  trained     with {row.deployments:,} deployments of {_day(row.first_at)} to {_day(row.last_at)} UTC, "
        f"{row.failures:,} of them failed; code {one_line(row.code_version)}"
    )
    print(f"  validation  {registry.validation_of(row).words()}")
    print(f"  shadow      {so_far.words() if so_far else why}")
    print(f"  file        sha256 {row.digest}")
    print(f"  types       {one_line(row.types)}")
    for change in changes:
        print(f"  {_day(change.at)}  {change.status} by {one_line(change.by)}: {one_line(change.because)}")
    return DONE


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    line = argparse.ArgumentParser(prog="python -m scripts.ml.risk_models", description="Retrained risk models.")
    actions = line.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="all models, the oldest first")
    listing.add_argument("--json", action="store_true", help="print JSON")
    for name, words in (
        ("show", "what a model was trained with, how good it is beside the online model, what was done with it"),
        ("shadow", "let a model score new deployments"),
        ("promote", "show a shadow's scores beside the risk, if it has proved better"),
        ("roll-back", "take a promotion back; the model promoted before is promoted again"),
        ("retire", "let a model score no more"),
        ("looks-at", "what the online model of a team (NAME) looks at most"),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("name", metavar="NAME")
        if name in READING:
            action.add_argument("--json", action="store_true", help="print JSON")
        elif name != "promote":
            action.add_argument("--because", required=True, type=reason, metavar="TEXT", help="why; it is kept")
    return line


if __name__ == "__main__":
    sys.exit(main())
