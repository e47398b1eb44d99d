"""Trains challengers of the online risk model anew: `python -m scripts.ml.retrain_deployment_risk_model`.

Reads deployments, their features as they were scored, and their outcomes from the summaries' database; judges a model
of each kind on later deployments than it was trained with, beside what the online model had said of the same; then
trains it with all that is known and keeps it, to score new deployments in the shadow. Exit codes: 0 done; 1 too little
is known, and it says what; 75 the database did not answer; 78 settings or a database that cannot be used.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts.letters.safe import one_line
from scripts.ml.retraining.command import DONE, code_version, run, who
from scripts.ml.retraining.comparing import Comparison, TooFew, compare
from scripts.ml.retraining.folds import Fold, Judged, folds, judge, now, together, train, usable
from scripts.ml.retraining.reading import Examples, most_told, read, told
from scripts.ml.retraining.registry import Refused, Trained, keep
from vigia.app.waiting import waiting_times
from vigia.events.feedback import Label
from vigia.models.deployments.examples import Example
from vigia.models.risk.challengers.fitting import KINDS, LEAST_CLEAN, LEAST_FAILED, Kind
from vigia.settings import Settings
from vigia.stores.sql.summaries import SqlSummaries


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    return run(lambda summaries, settings: retrain(summaries, settings, options), read_only=options.dry_run)


def retrain(summaries: SqlSummaries, settings: Settings, options: argparse.Namespace) -> int:
    """Train, judge and keep; raises Refused when too little is known."""
    console = Console(stderr=True, highlight=False)
    with _progress(console) as progress:
        reading = progress.add_task("deployments", total=None)
        found = read(
            summaries,
            options.scope,
            waiting_times(settings),
            lambda done, of: progress.update(reading, completed=done, total=of),
        )
        label = options.label or most_told(found)
        examples = _enough(found, label, options.scope)
        kinds = list(dict.fromkeys(options.model or KINDS))
        steps = list(folds(examples))
        training = progress.add_task("training", total=len(kinds) * (len(steps) + 1))
        for kind in kinds:
            progress.update(training, description=kind)
            parts = []
            for fold in steps:
                parts.append(_judged(kind, fold))
                progress.advance(training)
            try:
                measured = compare(together(parts))
            except TooFew as error:
                raise Refused(f"{kind}: {error}") from error
            progress.console.print(f"{kind}, {label}: {measured.words()}", soft_wrap=True)
            if not options.dry_run:
                _keep(summaries, kind, examples, label, measured, options, progress.console)
            progress.advance(training)
    return DONE


def _enough(found: Examples, label: Label, scope: str) -> Sequence[Example]:
    """Return the examples of a label; raises Refused when there are too few to train with."""
    failures, clean = told(found[label])
    if failures < LEAST_FAILED or clean < LEAST_CLEAN:
        whose = f" of the scope {scope!r}" if scope else ""
        raise Refused(
            f"too little is known of {label}{whose}: of {len(found[label]):,} scored deployments {failures:,} failed "
            f"and {clean:,} are clean; {LEAST_FAILED} and {LEAST_CLEAN} are needed, and as many again after them"
        )
    return found[label]


def _judged(kind: Kind, fold: Fold) -> Judged:
    try:
        return judge(kind, fold)
    except ValueError as error:
        day = datetime.fromtimestamp(fold.cut, UTC).strftime("%Y-%m-%d %H:%M")
        raise Refused(
            f"too little was known at {day} UTC to train a {kind} and judge it on what came later: {error}"
        ) from error


def _keep(
    summaries: SqlSummaries,
    kind: Kind,
    examples: Sequence[Example],
    label: Label,
    measured: Comparison,
    options: argparse.Namespace,
    console: Console,
) -> None:
    cut = now(examples)
    known = [each for each, _ in usable(examples, cut)]
    row = keep(
        summaries,
        train(kind, examples, cut),
        Trained(
            label=label,
            scope=options.scope,
            first_at=known[0].scored_at,
            last_at=known[-1].scored_at,
            deployments=len(known),
            failures=told(known)[0],
            code_version=code_version(),
            validation=measured,
        ),
        "candidate" if options.candidate else "shadow",
        who(),
    )
    said = f"kept as {row.name} ({row.status}), trained with {row.deployments:,} deployments"
    console.print(one_line(said), soft_wrap=True)


def _progress(console: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=True)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    line = argparse.ArgumentParser(
        prog="python -m scripts.ml.retrain_deployment_risk_model",
        description="Train challengers of the online risk model anew, judge them, and keep them as shadows.",
    )
    line.add_argument("--label", choices=get_args(Label), help="kind of failure (default: of which most is known)")
    line.add_argument("--scope", default="", metavar="NAME", help="of one team's deployments (default: of all)")
    line.add_argument("--model", choices=KINDS, action="append", help="only this kind; may be repeated")
    line.add_argument("--candidate", action="store_true", help="keep them without letting them score")
    line.add_argument("--dry-run", action="store_true", help="measure, and keep nothing")
    return line


if __name__ == "__main__":
    sys.exit(main())
