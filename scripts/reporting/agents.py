"""AI agents: how often they are right, whether their confidence means anything, and how long they take."""

from scripts.reporting.markup import Markup, element, figure, joined, table
from scripts.reporting.plot import Plot
from vigia.cli.ai_agents.command import Answer
from vigia.models.telemetry.figures import Share
from vigia.models.telemetry.report import AgentReport, Targets

MOST = 12
"""Most AI agents (and types) with pictures: those with the most decisions. The tables have all."""

SIZE, WIDE, ROW = 460.0, 940.0, 26.0
NAME_ROOM = 300.0
"""Pixels at the left for the names of agents."""
NAME_LENGTH = 44

FEW = 10
"""Judged decisions of a bucket below which its point is drawn faint."""
SECOND = 1_000.0


def section(answer: Answer) -> Markup:
    """Return the section."""
    if not answer.agents:
        why = f"{answer.empty[0].upper()}{answer.empty[1:]}."
        titles = ("How often they are right", "Does their confidence mean anything?", "How long they take")
        parts = [figure(None, None, title=each, empty=why) for each in titles]
        return element("section", element("h2", "AI agents"), *parts, id="ai-agents")
    busiest = sorted(answer.agents, key=lambda each: (-each.decisions, each.agent, each.decision_type))[:MOST]
    left = len(answer.agents) - len(busiest)
    note = (
        f"Pictures show the {len(busiest)} with the most decisions, tables all {len(answer.agents)}." if left else None
    )
    return element(
        "section",
        element("h2", "AI agents"),
        element("p", f"Of all teams, {answer.since} to {answer.until}.", class_="note"),
        element("p", note, class_="note") if note else None,
        _accuracy(busiest, answer),
        element("h3", "Does their confidence mean anything?"),
        element("div", *map(_calibration, busiest), class_="pairs"),
        _figures(answer.agents),
        id="ai-agents",
    )


def name_of(each: AgentReport) -> str:
    """Return what an agent's decisions of a type are called."""
    return f"{each.agent}, {each.decision_type}"


def _accuracy(agents: list[AgentReport], answer: Answer) -> Markup:
    title = "How often they are right"
    judged = [each for each in agents if each.together.accuracy.n]
    numbers = _accuracy_table(answer.agents, answer.targets)
    if not judged:
        return figure(None, numbers, title=title, empty="None of these decisions has feedback.")
    plot = Plot(
        WIDE, 62.0 + ROW * len(judged), (-NAME_ROOM / (WIDE - 74.0 - NAME_ROOM), 1.0), (float(len(judged)), 0.0)
    )
    for place in range(6):
        x = plot.x(place / 5)
        plot.add("line", x1=x, x2=x, y1=plot.top, y2=plot.bottom, class_="grid")
    plot.columns([(place / 5, f"{place * 20}%") for place in range(6)])
    target = plot.x(answer.targets.accuracy)
    plot.add("line", x1=target, x2=target, y1=plot.top, y2=plot.bottom, class_="target")
    for place, each in enumerate(judged):
        accuracy = each.together.accuracy
        low, high = accuracy.interval or (0.0, 1.0)
        y = plot.y(place + 0.5)
        plot.write(plot.x(0.0) - 8, y + 4, _cut(name_of(each)), anchor="end")
        plot.add("line", x1=plot.x(low), x2=plot.x(high), y1=y, y2=y, class_="whisker")
        words = f"{name_of(each)}: {_share(accuracy)}"
        plot.dot(accuracy.value or 0.0, place + 0.5, each.accuracy_target, words)
    plot.names("accuracy")
    note = (
        f"Of judged decisions, with the interval of 95 %. Dashed: the target of {answer.targets.accuracy:.0%}. "
        "People and tools choose what they judge, so judged decisions may not be like the others."
    )
    return figure(plot.made("Points: accuracy of each AI agent and its interval"), numbers, note, title=title)


def _accuracy_table(agents: list[AgentReport], targets: Targets) -> Markup:
    rows = (
        (
            name_of(each),
            f"{each.decisions:,}",
            _percent(each.feedback.value),
            _share(each.together.accuracy),
            _interval(each.together.accuracy),
            each.accuracy_target,
            _share(each.people.accuracy),
            _share(each.outcomes.accuracy),
            _expected(each),
        )
        for each in agents
    )
    heads = (
        "agent, type",
        "decisions",
        "feedback",
        "accuracy (n)",
        "95 %",
        "target",
        "people",
        "outcomes",
        "without feedback",
    )
    caption = f"Accuracy; targets: accuracy {targets.accuracy:.0%}, feedback {targets.feedback:.0%}"
    return table(caption, heads, rows, numbers=(1, 2, 3, 4, 6, 7, 8))


def _calibration(each: AgentReport) -> Markup:
    title = name_of(each)
    buckets = [bucket for bucket in each.together.buckets if bucket.decisions]
    if not each.together.with_confidence:
        why = each.why.get("calibration", "no judged decision has a confidence")
        return figure(None, None, title=title, empty=f"{why[0].upper()}{why[1:]}.")
    plot = Plot(SIZE, SIZE * 0.7, (0.0, 1.0), (0.0, 1.0))
    plot.ideal()
    for bucket in buckets:
        accuracy = bucket.accuracy
        if accuracy.value is None or accuracy.interval is None or bucket.confidence is None:
            continue
        plot.whisker(bucket.confidence, *accuracy.interval)
        kind = "" if accuracy.n >= FEW else "few"
        plot.dot(
            bucket.confidence, accuracy.value, kind, f"{_share(accuracy)}, mean confidence {bucket.confidence:.0%}"
        )
    plot.names("mean confidence")
    brier, error = each.together.brier, each.together.calibration_error
    note = (
        f"Brier score {brier:.3f}, calibration error {error:.1%}" if brier is not None and error is not None else None
    )
    numbers = table(
        f"Buckets of confidence: {title}",
        ("confidence", "decisions", "judged", "mean confidence", "accuracy", "95 %"),
        (
            (
                f"{bucket.low:.0%} to {bucket.high:.0%}",
                f"{bucket.decisions:,}",
                f"{bucket.accuracy.n:,}",
                _percent(bucket.confidence),
                _percent(bucket.accuracy.value),
                _interval(bucket.accuracy),
            )
            for bucket in buckets
        ),
        numbers=range(1, 6),
    )
    return figure(plot.made(f"Reliability diagram: confidence and accuracy of {title}"), numbers, note, title=title)


def _figures(agents: list[AgentReport]) -> Markup:
    rows = (
        (
            name_of(each),
            "-" if each.together.brier is None else f"{each.together.brier:.3f}",
            _percent(each.together.calibration_error),
            "-" if each.confidence_drift.change is None else f"{each.confidence_drift.change:.2f}",
            "-" if each.accuracy_drift.change is None else f"{each.accuracy_drift.change:+.1%}",
            f"{each.execution_time.n:,}",
            *(
                _time(value)
                for value in (
                    each.execution_time.mean,
                    each.execution_time.p50,
                    each.execution_time.p95,
                    each.execution_time.p99,
                )
            ),
        )
        for each in agents
    )
    heads = ("agent, type", "Brier", "ECE", "confidence drift", "accuracy drift", "timed", "mean", "p50", "p95", "p99")
    missing = [
        element("li", f"{name_of(each)}: {figure_.replace('_', ' ')}: {why}")
        for each in agents
        for figure_, why in each.why.items()
    ]
    return joined(
        [
            element("h3", "Calibration, drift and execution time"),
            table("Drift is against the span before, as long", heads, rows, numbers=range(1, 10)),
            element("details", element("summary", "What is missing, and why"), element("ul", *missing))
            if missing
            else None,
        ]
    )


def _cut(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _share(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.1%} ({share.n:,})"


def _interval(share: Share) -> str:
    return "-" if share.interval is None else f"{share.interval[0]:.1%} to {share.interval[1]:.1%}"


def _expected(each: AgentReport) -> str:
    expected = each.expected_accuracy
    if expected.value is None:
        return "-"
    error = f" ± {expected.foretold.error:.1%}" if expected.foretold is not None else ""
    return f"{expected.value:.1%}{error} ({expected.n:,})"


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.3g} ms" if milliseconds < SECOND else f"{milliseconds / SECOND:,.3g} s"
