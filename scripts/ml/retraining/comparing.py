"""A challenger beside the online model, over the same deployments."""

import msgspec
import numpy as np

from scripts.ml.evaluation.figures import paired_bootstrap, roc_auc
from scripts.ml.retraining.folds import Judged
from vigia.models.risk.challengers import fitting


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Over `deployments` that both had scored, `failures` of which failed. `difference` is the challenger's ROC-AUC
    above the online model's, `low` to `high` its 95 % interval by paired bootstrap. Brier scores are mean squared
    errors.
    """

    deployments: int
    failures: int
    roc_auc: float
    online_roc_auc: float
    difference: float
    low: float
    high: float
    brier: float
    online_brier: float

    @property
    def better(self) -> bool:
        """Whether the interval lies above zero."""
        return self.low > 0.0

    def words(self) -> str:
        """Return the figure that decides, as a line."""
        return (
            f"ROC-AUC {self.roc_auc:.3f}, the online model {self.online_roc_auc:.3f}: {self.difference:+.3f} "
            f"({self.low:+.3f} to {self.high:+.3f}) over {self.deployments:,} later deployments, of which "
            f"{self.failures:,} failed"
        )


class TooFew(Exception):
    """There are too few later deployments with known outcomes to compare over; says how many."""


def compare(judged: Judged) -> Comparison:
    """Return how a challenger compares; raises TooFew."""
    if not fitting.enough(judged.failed):
        raise TooFew(
            f"{fitting.counted(judged.failed)} are known among later deployments that both models scored: "
            f"{fitting.LEAST_FAILED} and {fitting.LEAST_CLEAN} are needed"
        )
    interval = paired_bootstrap(judged.failed, judged.ours, judged.online)
    areas = roc_auc(judged.failed, judged.ours), roc_auc(judged.failed, judged.online)
    if interval is None or areas[0] is None or areas[1] is None:
        raise TooFew("one kind of outcome is missing among later deployments")
    return Comparison(
        deployments=len(judged.failed),
        failures=int(judged.failed.sum()),
        roc_auc=areas[0],
        online_roc_auc=areas[1],
        difference=interval.difference,
        low=interval.low,
        high=interval.high,
        brier=float(np.mean((judged.ours - judged.failed) ** 2)),
        online_brier=float(np.mean((judged.online - judged.failed) ** 2)),
    )
