"""How good the online risk model is on recorded projects: `python -m scripts.ml.evaluate_risk DIR`.

DIR has `*.csv.gz` files in the column format of `vigia/feeds/data`. One pass in time order for each: a change is scored
first; *defective* is learned when the defect was found, *clean* when 90 days passed without one (and *defective* after
that, when it was found later). Scores are judged by the last label learned (a few rows are called defective without a
time at which that was found; nobody could learn those). `la` is sorting by lines added.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vigia.events.deployments import Deployment
from vigia.feeds import history
from vigia.models.risk import online
from vigia.models.risk.features import columns, raw_values

WARM_UP = 2_000
"""Changes after which calibration is judged."""

BINS = 10


class Result(NamedTuple):
    """One project: how well its changes are ranked, and what the probabilities are worth. Merges are all-zero rows."""

    project: str
    changes: int
    failed: float
    """Share of the changes."""
    roc_auc: float
    roc_auc_la: float
    roc_auc_no_merges: float
    brier: float
    brier_of_base_rate: float
    """The Brier score of always saying the final share of failures."""
    ece: float
    """Expected calibration error after `WARM_UP` changes, bins of equal mass; NaN for fewer changes."""
    steps_per_second: float
    """Scores with the learning that goes with them, a second of processor time."""


def roc_auc(failed: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the probability that a failed change has a higher score than a clean one, ties counting half.

    >>> roc_auc(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
    0.75
    """
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = int(failed.sum())
    return float((ranks[failed].sum() - positives * (positives + 1) / 2) / (positives * (len(failed) - positives)))


def evaluate(path: Path) -> Result:
    """Run one project through the model."""
    sent = list(history.events("evaluation", path))
    failed = {each.event.deployment_id: each.event.failed for each in sent if not isinstance(each.event, Deployment)}
    deployments = [each.event for each in sent if isinstance(each.event, Deployment)]
    began = time.process_time()
    scores = np.array(list(_scores(sent)))
    seconds = time.process_time() - began
    label = np.array([failed[each.deployment_id] for each in deployments])
    la = np.array([_values(each)["la"] for each in deployments])
    changed = np.array([any(_values(each)[name] for name in ("la", "ld", "nf", "lt")) for each in deployments])
    rate = float(label.mean())
    return Result(
        project=path.name.removesuffix(".csv.gz"),
        changes=len(label),
        failed=rate,
        roc_auc=roc_auc(label, scores),
        roc_auc_la=roc_auc(label, la),
        roc_auc_no_merges=roc_auc(label[changed], scores[changed]),
        brier=float(np.mean((scores - label) ** 2)),
        brier_of_base_rate=rate * (1 - rate),
        ece=calibration_error(label[WARM_UP:], scores[WARM_UP:]) if len(label) > WARM_UP else float("nan"),
        steps_per_second=len(label) / seconds,
    )


def calibration_error(failed: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the mean distance between what was said and what came, over bins of equal mass.

    >>> calibration_error(np.array([True, False]), np.array([0.9, 0.2]))
    0.15
    """
    bins = np.array_split(np.argsort(score, kind="stable"), BINS)
    distances = [abs(float(score[each].mean() - failed[each].mean())) * len(each) for each in bins if len(each)]
    return round(sum(distances) / len(score), 6)


def _values(deployment: Deployment) -> dict[str, float]:
    return {name: getattr(deployment.features, name) for name in history.FEATURES}


def _scores(sent: list[history.Sent]) -> Iterator[float]:
    state = online.new_state()
    waiting: dict[str, dict[str, float]] = {}
    learned: set[str] = set()
    for _, _, event in sent:
        if isinstance(event, Deployment):
            change = columns(raw_values(event), event.at)
            waiting[event.deployment_id] = change
            yield online.score(state, change).probability
        else:
            key = event.deployment_id
            online.learn(state, waiting[key], failed=event.failed, corrects=key in learned)
            learned.add(key)


def main(directory: str) -> None:
    """Print a row a project, and the means."""
    results = []
    print("project      changes failed  roc_auc  la     no merges  brier  (base)  ece    steps/s")
    for path in sorted(Path(directory).glob("*.csv.gz")):
        each = evaluate(path)
        results.append(each)
        print(
            f"{each.project:12} {each.changes:7} {each.failed:.3f}   {each.roc_auc:.4f}   {each.roc_auc_la:.4f} "
            f"{each.roc_auc_no_merges:.4f}     {each.brier:.4f} {each.brier_of_base_rate:.4f}  {each.ece:.3f}  "
            f"{each.steps_per_second:.0f}",
            flush=True,
        )
    if results:
        means = {
            name: np.mean([getattr(each, name) for each in results]) for name in ("roc_auc", "roc_auc_la", "brier")
        }
        print("mean", " ".join(f"{name} {value:.4f}" for name, value in means.items()))


if __name__ == "__main__":
    main(sys.argv[1])
