"""Risk scores against what came of the deployments: whether 30 % means three in ten, and who is told from whom."""

from collections.abc import Iterable

import msgspec

from scripts.reporting.markup import Markup, element, figure, joined, table
from scripts.reporting.plot import Plot, ticks
from vigia.models.intervals import Interval, wilson
from vigia.stores.queries.risk_outcomes import CLASSES, RiskCount

GROUPS = 10
"""Groups of risk in the reliability diagram."""

FEW = 10
"""Deployments of a group below which its point is drawn faint."""

SIZE, HEIGHT = 460.0, 250.0

CAUTION = (
    "A failure is told sooner and more often than a success, and silence is no outcome here: where few outcomes are "
    "told, the share that failed is too high."
)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The deployments with a risk in [low, high) of which an outcome is known."""

    low: float
    high: float
    n: int
    failed: int
    risk: float
    """Their mean risk."""

    @property
    def share(self) -> float:
        """Return the share that failed."""
        return self.failed / self.n

    @property
    def interval(self) -> Interval:
        """Return its interval of 95 %."""
        return wilson(self.failed, self.n) or (0.0, 1.0)


def section(counts: list[RiskCount]) -> Markup:
    """Return the section."""
    scored = sum(each.count for each in counts)
    judged = [each for each in counts if is_judged(each)]
    told = sum(each.count for each in judged)
    other = sum(each.count for each in counts if each.outcome and not is_judged(each))
    if not scored:
        empty = "No deployment in this span has a risk score: CI asks for one by sending the stage planned."
    elif not told:
        empty = f"{scored:,} deployments were scored, and of none an outcome of the scored kind is known."
    else:
        empty = ""
    words = f"{scored:,} deployments were scored, {told:,} have an outcome of the kind that was scored"
    if other:
        words += f", {other:,} one of another kind"
    return element(
        "section",
        element("h2", "Deployment risk"),
        element("p", f"{words}. All environments count.", class_="note") if scored else None,
        element(
            "div",
            _reliability(judged, empty),
            element("div", _against_outcome(judged, empty), _kinds(judged)),
            class_="pairs",
        ),
        element("p", CAUTION, class_="note") if told else None,
        id="risk",
    )


def is_judged(each: RiskCount) -> bool:
    """Return whether the outcome is known, and of the kind that was scored: another kind says nothing of the score."""
    return bool(each.outcome) and each.outcome_label == each.model.rpartition("/")[2]


def groups(counts: Iterable[RiskCount]) -> list[Group]:
    """Return the groups that have deployments, by risk."""
    held: dict[int, list[RiskCount]] = {}
    for each in counts:
        held.setdefault(each.risk_class * GROUPS // CLASSES, []).append(each)
    return [
        Group(
            low=place / GROUPS,
            high=(place + 1) / GROUPS,
            n=sum(each.count for each in alike),
            failed=sum(each.count for each in alike if each.outcome == "failed"),
            risk=sum(each.risk for each in alike) / sum(each.count for each in alike),
        )
        for place, alike in sorted(held.items())
    ]


def _reliability(judged: list[RiskCount], empty: str) -> Markup:
    title = "Does the risk mean what it says?"
    if empty:
        return figure(None, None, title=title, empty=empty)
    made = groups(judged)
    plot = Plot(SIZE, SIZE * 0.8, (0.0, 1.0), (0.0, 1.0))
    plot.ideal()
    for each in made:
        plot.whisker(each.risk, *each.interval)
        plot.dot(each.risk, each.share, "" if each.n >= FEW else "few", _words(each))
    plot.names("mean risk of a group")
    numbers = table(
        "Groups of risk",
        ("risk", "mean risk", "failed", "of", "share", "95 %"),
        (
            (
                f"{each.low:.0%} to {each.high:.0%}",
                f"{each.risk:.1%}",
                f"{each.failed:,}",
                f"{each.n:,}",
                f"{each.share:.1%}",
                f"{each.interval[0]:.1%} to {each.interval[1]:.1%}",
            )
            for each in made
        ),
        numbers=range(1, 6),
    )
    note = f"Share that failed, by group of risk; on the line they are equal. Faint: fewer than {FEW} deployments."
    return figure(plot.made("Reliability diagram: risk and the share that failed"), numbers, note, title=title)


def _kinds(judged: list[RiskCount]) -> Markup | None:
    """Return, for each kind of failure, how many failed and how risky they were held."""
    kinds: dict[str, list[RiskCount]] = {}
    for each in judged:
        kinds.setdefault(each.outcome_label, []).append(each)
    if not kinds:
        return None
    rows = []
    for kind, alike in sorted(kinds.items()):
        n, failed = sum(each.count for each in alike), sum(each.count for each in alike if each.outcome == "failed")
        low, high = wilson(failed, n) or (0.0, 1.0)
        expected = sum(each.risk for each in alike) / n
        rows.append((kind, f"{n:,}", f"{failed / n:.1%}", f"{low:.1%} to {high:.1%}", f"{expected:.1%}"))
    heads = ("kind of failure", "deployments", "failed", "95 %", "mean risk")
    return element(
        "div",
        element("h3", "By kind of failure"),
        table("What the scores foretell", heads, rows, numbers=range(1, 5)),
    )


def _against_outcome(judged: list[RiskCount], empty: str) -> Markup:
    title = "Risk against outcome"
    if empty:
        return figure(None, None, title=title, empty=empty)
    failed, succeeded = [0] * CLASSES, [0] * CLASSES
    for each in judged:
        (failed if each.outcome == "failed" else succeeded)[each.risk_class] += each.count
    # shares of their own kind: failures are few, and would not be seen beside all others
    shares = [[count / max(1, sum(counts)) for count in counts] for counts in (failed, succeeded)]
    top = ticks(max(map(max, shares)), 3)
    plot = Plot(SIZE, HEIGHT, (0.0, 1.0), (-top[-1], top[-1]))
    plot.rows([(sign * each, f"{each:.0%}") for each in top for sign in ((1, -1) if each else (1,))])
    for place in range(CLASSES):
        begin, end = place / CLASSES, (place + 1) / CLASSES
        if failed[place]:
            plot.bar(0.0, shares[0][place], begin, end, "bad")
        if succeeded[place]:
            plot.bar(-shares[1][place], 0.0, begin, end, "made")
    plot.columns([(each / 5, f"{each * 20}%") for each in range(6)])
    plot.names("risk when it was asked for")
    note = joined(
        [
            element("span", "", class_="key bad"),
            f" up: {sum(failed):,} that failed; ",
            element("span", "", class_="key made"),
            f" down: {sum(succeeded):,} that did not; each as shares of its own. ",
            "The less they overlap, the better the scores tell them apart.",
        ]
    )
    numbers = table(
        "Deployments by risk",
        ("risk", "failed", "did not"),
        (
            (f"{place / CLASSES:.0%} to {(place + 1) / CLASSES:.0%}", f"{bad:,}", f"{good:,}")
            for place, (bad, good) in enumerate(zip(failed, succeeded, strict=True))
            if bad or good
        ),
        numbers=(1, 2),
    )
    return figure(
        plot.made("Bars: risks of deployments that failed, and of those that did not"), numbers, note, title=title
    )


def _words(each: Group) -> str:
    return f"{each.failed:,} of {each.n:,} failed ({each.share:.0%}), mean risk {each.risk:.0%}"
