"""A recorded history of real changes, played back as deployments and their outcomes: 600 changes to Sentry in 2011.

Every change stands for one deployment. Outcomes come when they became known, in between: a defect when it was found;
"no defect" 90 days after the change, unless one was found by then. A change whose defect was found later has both, in
that order. Licence and source: `data/README.md`.
"""

import csv
import gzip
import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vigia.events.base import HISTORY_ENVIRONMENT
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.feedback import Label, Outcome

DATA = Path(__file__).parent / "data" / "sentry-2011.csv.gz"

PROJECT = "sentry"
"""Scope and service of everything here."""

WAITING_TIME = 90 * 86_400.0
"""Seconds after which a change without a known defect counts as clean (the ORB protocol of the data's authors)."""

LABEL: Label = "defect"

FEATURES = ("fix", "ns", "nd", "nf", "entropy", "la", "ld", "lt", "ndev", "age", "nuc", "exp", "rexp", "sexp")


class Sent(NamedTuple):
    """An event and where it goes."""

    topic: str
    key: str
    event: Deployment | Outcome


def events(run_id: str, data: Path = DATA) -> Iterator[Sent]:
    """Yield the history in time order; all outcomes have been given at its end.

    Ids are derived from `run_id` (a name): another one makes the same history count as new deployments. An outcome that
    became known at the moment of a change comes before it.

    >>> first = next(events("example"))
    >>> first.topic, first.key, first.event.environment, first.event.features.la
    ('deployments', 'sentry', 'history', 70.0)
    """
    source = f"recorded-history:{run_id}"
    known: list[tuple[float, int, bool, Outcome]] = []
    with gzip.open(data, "rt", encoding="ascii", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            deployment = _deployment(source, number, row)
            while known and known[0][0] <= deployment.at:
                yield _feedback(heapq.heappop(known)[-1])
            yield Sent("deployments", PROJECT, deployment)
            for outcome in _outcomes(deployment, row["defect_found_ts"]):
                heapq.heappush(known, (outcome.at, number, outcome.failed, outcome))
    while known:
        yield _feedback(heapq.heappop(known)[-1])


def _deployment(source: str, number: int, row: dict[str, str]) -> Deployment:
    return Deployment(
        source=source,
        external_id=f"{number + 1:04}-{row['commit_ts']}",
        service=PROJECT,
        scope=PROJECT,
        environment=HISTORY_ENVIRONMENT,
        stage="finished",
        status="succeeded",
        at=float(row["commit_ts"]),
        features=ChangeFeatures(**{name: float(row[name]) for name in FEATURES}),
    )


def _outcomes(deployment: Deployment, found: str) -> Iterator[Outcome]:
    clean_at = deployment.at + WAITING_TIME
    found_at = float(found) if found else None
    if found_at is None or found_at > clean_at:
        yield _outcome(deployment, clean_at, failed=False)
    if found_at is not None:
        yield _outcome(deployment, found_at, failed=True)


def _outcome(deployment: Deployment, at: float, *, failed: bool) -> Outcome:
    return Outcome(
        source=deployment.source,
        external_id=deployment.external_id,
        scope=PROJECT,
        service=PROJECT,
        at=at,
        failed=failed,
        label=LABEL,
        by="recorded history",
    )


def _feedback(outcome: Outcome) -> Sent:
    return Sent("feedback", PROJECT, outcome)
