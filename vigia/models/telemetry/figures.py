"""What the counts of one AI agent's decisions of one type say: accuracy, calibration, feedback rate, execution times.

A decision is correct when it was judged `correct`; `partly` is shown apart and counts as not correct, in every figure.
So accuracy and Brier score are scikit-learn's `accuracy_score` and `brier_score_loss` of that yes or no.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from vigia.events.summaries import AIDecisionTally, AIDecisionTimes
from vigia.models.intervals import Interval, wilson
from vigia.models.telemetry.bins import BILLIONTHS, BUCKETS, NO_CONFIDENCE, bucket_of
from vigia.models.telemetry.tallies import Counts
from vigia.models.windows.sketch import Sketch

BinCounts = dict[str, dict[int, Counts]]
"""By judge (`AIDecisionTally.judge`) and bin."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A share of `n`, with its 95 % interval (Wilson); value and interval are None when `n` is 0."""

    n: int
    count: int
    value: float | None
    interval: Interval | None

    @staticmethod
    def of(count: int, n: int) -> "Share":
        """Return `count` of `n`."""
        return Share(n=n, count=count, value=count / n if n else None, interval=wilson(count, n))

    def against(self, target: float) -> str:
        """Return how it stands to a share that it should be above: met, missed, unclear (its interval holds the target)
        or unknown.

        >>> [Share.of(count, n).against(0.85) for count, n in ((990, 1000), (500, 1000), (9, 10), (0, 0))]
        ['met', 'missed', 'unclear', 'unknown']
        """
        if self.interval is None:
            return "unknown"
        low, high = self.interval
        return "met" if low > target else "missed" if high <= target else "unclear"


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions with a confidence in (low, high], the first with 0 too."""

    low: float
    high: float
    decisions: int
    accuracy: Share
    """Of those that were judged."""
    confidence: float | None
    """Mean confidence of those that were judged."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of judge says. Brier score and calibration error are of the judged decisions with a confidence,
    `with_confidence` of them, and None when there is none.
    """

    accuracy: Share
    partly: int
    with_confidence: int
    brier: float | None
    """Mean squared error of the confidence, in [0, 1]; 0 is best, and 0.25 is what always saying one half gets."""
    calibration_error: float | None
    """Expected calibration error over the five buckets (Guo et al. 2017), in [0, 1]: how far confidence is from
    accuracy, weighted by decisions."""
    buckets: tuple[Bucket, ...]


class ExecutionTime(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds, of the `n` decisions that name a time; quantiles are within 1 %. All None when `n` is 0."""

    n: int
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


def bin_counts(tallies: Iterable[AIDecisionTally]) -> BinCounts:
    """Return tallies added up over their days."""
    sums: defaultdict[str, dict[int, Counts]] = defaultdict(dict)
    for row in tallies:
        held = sums[row.judge].get(row.bin, Counts(0))
        sums[row.judge][row.bin] = Counts(
            *(value + getattr(row, name) for name, value in zip(Counts._fields, held, strict=True))
        )
    return dict(sums)


def decisions_in(counts: BinCounts, judge: str) -> int:
    """Return how many decisions this judge has judged; `all` are those that were made."""
    return sum(each.decisions for each in counts.get(judge, {}).values())


def correct_in(counts: BinCounts, judge: str) -> int:
    """Return how many decisions this judge calls correct."""
    return sum(each.correct for each in counts.get(judge, {}).values())


def judged(counts: BinCounts, judge: str) -> Judged:
    """Return the figures of one kind of judge: `person`, `outcome` or `any`."""
    own = counts.get(judge, {})
    confident = {number: each for number, each in own.items() if number != NO_CONFIDENCE and each.decisions}
    n = sum(each.decisions for each in confident.values())
    buckets = [_bucket(place, counts, confident) for place in range(BUCKETS)]
    gaps = (
        each.accuracy.n * abs(each.accuracy.value - each.confidence)
        for each in buckets
        if each.accuracy.value is not None and each.confidence is not None
    )
    return Judged(
        accuracy=Share.of(correct_in(counts, judge), decisions_in(counts, judge)),
        partly=sum(each.partly for each in own.values()),
        with_confidence=n,
        brier=sum(each.squared_error for each in confident.values()) / BILLIONTHS / n if n else None,
        calibration_error=sum(gaps) / n if n else None,
        buckets=tuple(buckets),
    )


def execution_time(rows: Sequence[AIDecisionTimes]) -> ExecutionTime:
    """Return the execution times of any days together."""
    n = sum(row.count for row in rows)
    if not n:
        return ExecutionTime(n=0, mean=None, p50=None, p95=None, p99=None)
    sketch = Sketch()
    for row in rows:
        sketch = sketch.merged(Sketch.decode(row.sketch))
    p50, p95, p99 = (sketch.quantile(q) for q in (0.5, 0.95, 0.99))
    return ExecutionTime(n=n, mean=sum(row.total for row in rows) / n / 1_000, p50=p50, p95=p95, p99=p99)


def _bucket(place: int, counts: BinCounts, confident: dict[int, Counts]) -> Bucket:
    own = [each for number, each in confident.items() if bucket_of(number) == place]
    n = sum(each.decisions for each in own)
    made = (each.decisions for number, each in counts.get("all", {}).items() if _in(number, place))
    return Bucket(
        low=place / BUCKETS,
        high=(place + 1) / BUCKETS,
        decisions=sum(made),
        accuracy=Share.of(sum(each.correct for each in own), n),
        confidence=sum(each.confidence for each in own) / BILLIONTHS / n if n else None,
    )


def _in(number: int, place: int) -> bool:
    return number != NO_CONFIDENCE and bucket_of(number) == place
