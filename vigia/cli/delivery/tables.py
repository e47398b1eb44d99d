"""The tables of `vigia dora`. A level has a colour; what was left out stands below, with the reason."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vigia.cli.reading import bare_table
from vigia.cli.span import Span
from vigia.events.dora import MEANINGS
from vigia.models.dora.days import Day
from vigia.models.dora.levels import Level
from vigia.models.dora.report import DoraReport, Metric

NAMES = {
    "change_lead_time": "change lead time",
    "deployment_frequency": "deployment frequency",
    "failed_deployment_recovery_time": "failed deployment recovery time",
    "change_fail_rate": "change fail rate",
    "deployment_rework_rate": "deployment rework rate",
}
STYLES = {"elite": "bold green", "high": "green", "medium": "yellow", "low": "red"}
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
DAYS_A_WEEK, DAYS_A_MONTH = 7.0, 30.0


def show(report: DoraReport, span: Span, console: Console) -> None:
    """Print the report."""
    whose = "all services" if report.of == "all" else f"{report.of} {one_line(report.name)}"
    console.print(Text.assemble(("Delivery of ", "bold"), (whose, "bold cyan"), f", {span.words()}"))
    console.print()
    console.print(_metrics(report))
    for part in (_empty(report.metrics), _left_out(report.metrics), _notes(report)):
        if part is not None:
            console.print()
            console.print(part)
    if report.days:
        console.print()
        console.print(_days(report.days))
    production = ", ".join(map(one_line, report.environments))
    console.print()
    console.print(
        Text(
            f"production: {production} (--environment asks of another); incidents without a link: the latest "
            f"deployment in the {report.attribution_window / HOUR:g} h before; formulas: {report.formula_version}",
            style="dim",
        )
    )


def _metrics(report: DoraReport) -> Table:
    table = _table("metric", value="right", interval="right", p90="right", n="right", of="left")
    table.add_column(f"level {report.year}")
    own = any(level.table == "own" for metric in report.metrics for level in metric.levels)
    if own:
        table.add_column("own level")
    for metric in report.metrics:
        levels = {level.table: level for level in metric.levels}
        cells = [
            Text(NAMES[metric.name], style="bold"),
            Text("-" if metric.value is None else value_text(metric, metric.value), style="bold"),
            Text(interval_text(metric) or "-", style="dim"),
            Text("-" if metric.p90 is None else duration(metric.p90)),
            Text(f"{metric.n:,}"),
            Text(metric.of),
            _level(levels.get(str(report.year))),
        ]
        table.add_row(*cells, *([_level(levels.get("own"))] if own else []))
    return table


def interval_text(metric: Metric) -> str:
    """Return the interval as people read it, or nothing where there are too few for one."""
    if metric.low is None or metric.high is None or metric.value is None:
        return ""
    if metric.unit == "deployments a day":
        _, times, unit = _rate_unit(metric.value)
        return f"{metric.low * times:,.1f} to {metric.high * times:,.1f} {unit}"
    return f"{value_text(metric, metric.low)} to {value_text(metric, metric.high)}"


def value_text(metric: Metric, value: float) -> str:
    """Return a value of the metric with its unit."""
    if metric.unit == "seconds":
        return duration(value)
    if metric.unit == "share":
        return f"{value:.1%}"
    number, _, unit = _rate_unit(value)
    return f"{number:,.1f} {unit}"


def _rate_unit(a_day: float) -> tuple[float, float, str]:
    """Return a rate in the unit in which it is at least 1, by how much that is more than a day's, and the unit."""
    if a_day >= 1:
        return a_day, 1.0, "a day"
    times, unit = (DAYS_A_WEEK, "a week") if a_day * DAYS_A_WEEK >= 1 else (DAYS_A_MONTH, "a month")
    return a_day * times, times, unit


def _level(level: Level | None) -> Text:
    if level is None:
        return Text("-", style="dim")
    style = STYLES[level.names[0]] if len(level.names) == 1 else "yellow"
    return Text(" or ".join(level.names), style=style)


def reasons_of(metrics: Iterable[Metric]) -> dict[str, list[str]]:
    """Return why metrics have no value: each reason once, with the names of its metrics."""
    reasons: dict[str, list[str]] = {}
    for each in metrics:
        if each.why_empty:
            reasons.setdefault(each.why_empty, []).append(NAMES[each.name])
    return reasons


def _empty(metrics: Iterable[Metric]) -> Table | None:
    reasons = reasons_of(metrics)
    if not reasons:
        return None
    table = _table("why there is no value", **{"": "left"})
    for why, names in reasons.items():
        table.add_row(Text(",\n".join(names)), Text(one_line(why)))
    return table


def _left_out(metrics: list[Metric]) -> Table | None:
    reasons: dict[str, tuple[int, list[str]]] = {}
    for metric in metrics:
        for reason, count in metric.excluded.items():
            most, names = reasons.setdefault(reason, (count, []))
            reasons[reason] = max(most, count), [*names, NAMES[metric.name]]
    if not reasons:
        return None
    table = _table("left out", count="right", why="left")
    for reason, (count, names) in sorted(reasons.items(), key=lambda item: (-item[1][0], item[0])):
        table.add_row(reason, f"{count:,}", Text.assemble(MEANINGS[reason], (f"  ({', '.join(names)})", "dim")))
    return table


def _notes(report: DoraReport) -> Text | None:
    notes = [
        f"{NAMES[metric.name]}, {level.table}: {level.note}"
        for metric in report.metrics
        for level in metric.levels
        if level.note
    ]
    return Text("\n".join(notes), style="dim") if notes else None


def _days(days: list[Day]) -> Table:
    table = _table(
        "day",
        deployments="right",
        failed="right",
        rework="right",
        left_out="right",
        lead_time="right",
        recovery="right",
    )
    for each in days:
        table.add_row(
            each.day,
            f"{each.deployments:,}",
            Text(f"{each.failed:,}", style="red" if each.failed else "dim"),
            Text(f"{each.rework:,}", style="yellow" if each.rework else "dim"),
            Text(f"{each.excluded:,}", style="dim"),
            "-" if each.lead_time is None else duration(each.lead_time),
            "-" if each.recovery_time is None else duration(each.recovery_time),
        )
    return table


def _table(first: str, **aligned: str) -> Table:
    table = bare_table()
    table.add_column(first)
    for name, side in aligned.items():
        table.add_column(name.replace("_", " "), justify="right" if side == "right" else "left")
    return table


def duration(seconds: float) -> str:
    """Return seconds as a person compares them: with one unit and two or three digits.

    >>> [duration(each) for each in (0.4, 75, 5400, 200_000)]
    ['0 s', '1.2 min', '1.5 h', '2.3 d']
    """
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{seconds:.0f} s"


def one_line(text: str) -> str:
    """Return what a sender wrote with every character escaped that a terminal could obey."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
