"""The tables of `vigia ai-agents`. Colour means something: green is on target, red is not, yellow may be either."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vigia.cli.delivery.tables import one_line
from vigia.cli.span import Span
from vigia.models.telemetry.drift import Drift
from vigia.models.telemetry.figures import Bucket, Share
from vigia.models.telemetry.report import AgentReport, Targets

STYLES = {"met": "green", "missed": "red", "unclear": "yellow", "unknown": "dim"}
NOTHING = Text("-", style="dim")
NAMES = ("agent", "type")
SECTIONS = 4
"""Tables that are always shown."""

BAR = 20
"""Characters of a bar for the share 1."""


def show(agents: Sequence[AgentReport], empty: str, span: Span, targets: Targets, console: Console) -> None:
    """Print the report; of one agent alone also the buckets, and what is missing why."""
    console.print(f"[bold]AI agents[/], {span.words()}")
    if not agents:
        console.print(escape(one_line(empty)))
        return
    sections = [_accuracy(agents, targets), _judges(agents), _confidence(agents), _times(agents)]
    if len({each.agent for each in agents}) == 1:
        sections += [_buckets(each) for each in agents]
    for section in sections:
        console.print()
        console.print(section)
    if len(sections) > SECTIONS:
        for each in agents:
            for figure, why in each.why.items():
                console.print(Text(f"{one_line(each.decision_type)}: {figure.replace('_', ' ')}: {why}", style="dim"))


def _accuracy(agents: Sequence[AgentReport], targets: Targets) -> Table:
    table = _table("Accuracy", NAMES, ["decisions", "feedback", "accuracy", "95 % interval", "partly"])
    for each in agents:
        accuracy = each.together.accuracy
        table.add_row(
            *_names(each),
            f"{each.decisions:,}",
            _percent(each.feedback.value, STYLES[each.feedback_target]),
            _percent(accuracy.value, STYLES[each.accuracy_target]),
            _interval(accuracy),
            f"{each.together.partly:,}",
        )
    table.caption = (
        f"Targets: accuracy {targets.accuracy:.0%}, feedback {targets.feedback:.0%}; yellow: too few to say."
    )
    return table


def _judges(agents: Sequence[AgentReport]) -> Table:
    table = _table("Accuracy by who says so", NAMES, ["people", "outcomes", "they agree", "without feedback"])
    for each in agents:
        judges = (each.people.accuracy, each.outcomes.accuracy, each.agreement)
        table.add_row(*_names(each), *map(_share, judges), _expected(each))
    table.caption = (
        "With the number of decisions. Without feedback: expected from confidence, and how far off that was."
    )
    return table


def _confidence(agents: Sequence[AgentReport]) -> Table:
    table = _table("Confidence and drift", NAMES, ["Brier", "ECE", "confidence drift", "accuracy drift"])
    for each in agents:
        table.add_row(
            *_names(each),
            NOTHING if each.together.brier is None else f"{each.together.brier:.3f}",
            _percent(each.together.calibration_error),
            _drift(each.confidence_drift, "{:.2f}"),
            _drift(each.accuracy_drift, "{:+.1%}"),
        )
    table.caption = (
        "Drift: against the span before; p: how likely chance alone makes so much of it; yellow: it matters."
    )
    return table


def _times(agents: Sequence[AgentReport]) -> Table:
    table = _table("Execution time", NAMES, ["decisions", "mean", "p50", "p95", "p99"])
    for each in agents:
        took = each.execution_time
        milliseconds = map(_milliseconds, (took.mean, took.p50, took.p95, took.p99))
        table.add_row(*_names(each), f"{took.n:,}", *milliseconds)
    return table


def _buckets(each: AgentReport) -> Table:
    table = _table(
        f"{each.agent}, {each.decision_type}",
        ["confidence"],
        ["decisions", "judged", "mean", "accuracy", "95 % interval"],
    )
    table.add_column("", no_wrap=True)
    for bucket in each.together.buckets:
        table.add_row(
            f"{bucket.low:.0%} to {bucket.high:.0%}",
            f"{bucket.decisions:,}",
            f"{bucket.accuracy.n:,}",
            _percent(bucket.confidence),
            _percent(bucket.accuracy.value),
            _interval(bucket.accuracy),
            _bar(bucket),
        )
    table.caption = "Bar: accuracy; |: mean confidence. They meet where confidence can be trusted."
    return table


def _table(title: str, names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(
        title=escape(one_line(title)),
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for name in names:
        # a long name wraps, so that no number is cut
        table.add_column(name, overflow="fold", header_style="dim")
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True, header_style="dim")
    return table


def _names(each: AgentReport) -> tuple[str, str]:
    return escape(one_line(each.agent)), escape(one_line(each.decision_type))


def _bar(bucket: Bucket) -> Text:
    if bucket.accuracy.value is None or bucket.confidence is None:
        return Text("")
    filled, mark = round(bucket.accuracy.value * BAR), min(BAR - 1, int(bucket.confidence * BAR))
    cells = ["█" if place < filled else "·" for place in range(BAR)]
    cells[mark] = "|"
    return Text("".join(cells))


def _percent(value: float | None, style: str = "") -> Text:
    return NOTHING if value is None else Text(f"{value:.1%}", style=style)


def _interval(share: Share) -> Text:
    return NOTHING if share.interval is None else Text(f"{share.interval[0]:.1%} - {share.interval[1]:.1%}")


def _share(share: Share) -> Text:
    return NOTHING if share.value is None else Text(f"{share.value:.1%} ({share.n:,})")


def _expected(each: AgentReport) -> Text:
    expected = each.expected_accuracy
    if expected.value is None:
        return NOTHING
    error = f" ± {expected.foretold.error:.1%}" if expected.foretold is not None else ""
    return Text(f"{expected.value:.1%}{error} ({expected.n:,})")


def _milliseconds(value: float | None) -> Text:
    """A duration in milliseconds as people read it."""
    if value is None:
        return NOTHING
    if value < 1_000:  # noqa: PLR2004 - a second
        return Text(f"{value:.3g} ms")
    return Text(f"{value / 1_000:.3g} s" if value < 1_000_000 else f"{value / 60_000:,.0f} min")  # noqa: PLR2004


def _drift(drift: Drift, form: str) -> Text:
    if drift.change is None or drift.p_value is None:
        return NOTHING
    chance = "< 0.001" if drift.p_value < 0.001 else f"{drift.p_value:.3f}"  # noqa: PLR2004 - as many decimals
    return Text(f"{form.format(drift.change)} (p {chance})", style="yellow" if drift.drifted else "")
